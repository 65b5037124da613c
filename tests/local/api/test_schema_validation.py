"""Unknown fields and values of a wrong type are refused, at every level."""

from __future__ import annotations

from typing import Any

import pytest

from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused
from vision_agent.local.api.schema_validation import check_message

DECLARATION = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"kind": 1}}}}


STUDIO = Endpoint(vertex=False, version="v1alpha")
VERTEX = Endpoint(vertex=True, version="v1beta1")


def refusal(message: Any, endpoint: Endpoint = STUDIO) -> str:
    with pytest.raises(Refused) as refused:
        check_message(message, endpoint)
    assert refused.value.code == 1007
    return refused.value.reason


@pytest.mark.parametrize(
    ("message", "name", "path"),
    [
        ({"speech": {}}, "speech", ""),
        ({"setup": {"voice": "Kore"}}, "voice", "setup"),
        ({"setup": {"responseModalities": []}}, "responseModalities", "setup"),
        ({"setup": {"generationConfig": {"topX": 1}}}, "topX", "setup.generation_config"),
        (
            {"setup": {"tools": [{}, {"functionDeclarations": [DECLARATION]}]}},
            "kind",
            "setup.tools[1].function_declarations[0].parameters.properties",
        ),
        ({"realtimeInput": {"speech": {}}}, "speech", "realtime_input"),
        ({"realtime_input": {"audio": {"rate": 1}}}, "rate", "realtime_input.audio"),
        (
            {"client_content": {"turns": [{"parts": [{"words": "a"}]}]}},
            "words",
            "client_content.turns[0].parts[0]",
        ),
        (
            {"toolResponse": {"functionResponses": {"result": 1}}},
            "result",
            "tool_response.function_responses",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_where_it_is(message: Any, name: str, path: str) -> None:
    at = f" at '{path}'" if path else ""
    words = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
    assert refusal(message) == words[:123]


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"model": 5}, "Invalid value at 'setup.model' (TYPE_STRING), 5"),
        (
            {"generationConfig": {"temperature": "warm"}},
            "Invalid value at 'setup.generation_config.temperature' (TYPE_FLOAT), \"warm\"",
        ),
        (
            {"generationConfig": {"seed": 1.5}},
            "Invalid value at 'setup.generation_config.seed' (TYPE_INT32), 1.5",
        ),
        (
            {"sessionResumption": "yes"},
            "Invalid value at 'setup.session_resumption' "
            "(type.googleapis.com/google.ai.generativelanguage.v1alpha.SessionResumptionConfig)",
        ),
        (
            {"realtimeInputConfig": {"turnCoverage": "ALL"}},
            "Invalid value at 'setup.realtime_input_config.turn_coverage' (type.googleapis.com/",
        ),
        (
            {"proactivity": []},
            "Unknown name \"proactivity\" at 'setup': Proto field is not repeating, cannot start",
        ),
        ({"labels": {"team": 7}}, "Invalid value at 'setup.labels' (TYPE_STRING), 7"),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type(setup: Any, words: str) -> None:
    assert words[:100] in refusal({"setup": setup})


def test_what_only_one_service_knows_the_other_refuses() -> None:
    check_message({"setup": {"explicitVadSignal": True}}, VERTEX)
    assert 'Unknown name "explicitVadSignal"' in refusal({"setup": {"explicitVadSignal": True}})
    check_message({"setup": {"labels": {"team": "a"}}}, STUDIO)
    assert 'Unknown name "labels"' in refusal({"setup": {"labels": {}}}, VERTEX)


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_proactivity_is_known_in_the_alpha_version_only(version: str) -> None:
    message = {"setup": {"proactivity": {"proactiveAudio": True}}}
    check_message(message, STUDIO)
    check_message(message, VERTEX)
    words = (
        "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': Cannot find field."
    )
    assert refusal(message, Endpoint(vertex=False, version=version)) == words


def test_either_spelling_null_numbers_as_strings_and_single_values_are_taken() -> None:
    for generation in (
        {"top_p": "0.5", "topK": 3, "maxOutputTokens": "100", "seed": 2.0},
        {"responseModalities": "audio", "response_json_schema": {"anything": [1]}},
        {"temperature": None, "speechConfig": None},
    ):
        check_message({"setup": {"generationConfig": generation}}, STUDIO)


def test_a_schema_that_never_ends_is_refused_and_not_followed() -> None:
    schema: dict[str, Any] = {}
    for _ in range(500):
        schema = {"items": schema}
    tools = [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]
    assert refusal({"setup": {"tools": tools}}).startswith("Message too deep")
