"""What no message holds is refused, at every level; all that google-genai can send is known."""

from __future__ import annotations

import inspect
import re
import typing
from enum import Enum
from typing import Any

import pytest
from google.genai import _live_converters, types
from pydantic import BaseModel

from vision_agent.local.api.json_fields import Refused
from vision_agent.local.api.schema import ENUMS, MESSAGES, ROOT
from vision_agent.local.api.schema_validation import check_message, snake_case

DECLARATION = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"kind": 1}}}}


def refusal(message: Any, *, vertex: bool = False) -> str:
    with pytest.raises(Refused) as refused:
        check_message(message, vertex=vertex)
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
    check_message({"setup": {"explicitVadSignal": True}}, vertex=True)
    assert 'Unknown name "explicitVadSignal"' in refusal({"setup": {"explicitVadSignal": True}})
    check_message({"setup": {"labels": {"team": "a"}}}, vertex=False)
    assert 'Unknown name "labels"' in refusal({"setup": {"labels": {}}}, vertex=True)


def test_either_spelling_null_numbers_as_strings_and_single_values_are_taken() -> None:
    for generation in (
        {"top_p": "0.5", "topK": 3, "maxOutputTokens": "100", "seed": 2.0},
        {"responseModalities": "audio", "response_json_schema": {"anything": [1]}},
        {"temperature": None, "speechConfig": None},
    ):
        check_message({"setup": {"generationConfig": generation}}, vertex=False)


def test_a_schema_that_never_ends_is_refused_and_not_followed() -> None:
    schema: dict[str, Any] = {}
    for _ in range(500):
        schema = {"items": schema}
    tools = [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]
    assert refusal({"setup": {"tools": tools}}).startswith("Message too deep")


# What google-genai can send, and this server knows.


def parts_of(annotation: Any) -> list[Any]:
    """The classes in a type annotation, those that google-genai sends first."""
    if typing.get_origin(annotation) in (typing.Annotated,):
        return parts_of(typing.get_args(annotation)[0])
    if annotation is list:
        # How google-genai writes its lists of tools, which it checks by itself.
        return [types.Tool]
    if not typing.get_args(annotation):
        return [annotation]
    found = [part for inner in typing.get_args(annotation) for part in parts_of(inner)]
    # What is convenient to write (a string, a file, a part) is sent as content.
    return [types.Content] if types.Content in found else found


def compare(model: type[BaseModel], message: str, where: str, seen: set[str]) -> list[str]:
    """What differs between a class of google-genai's and a message here, one sentence each."""
    if message in seen:
        return []
    seen.add(message)
    fields = dict(model.model_fields)
    if model is types.LiveClientSetup:
        # A client sends it, from LiveConnectConfig; only the class of the message lacks it.
        fields["realtime_input_config"] = types.LiveConnectConfig.model_fields[
            "realtime_input_config"
        ]
    theirs = {snake_case(name): field for name, field in fields.items()}
    ours = MESSAGES[message]
    wrong = [
        f"google-genai's {model.__name__}.{name} ({where}) is unknown to the local Live API: "
        "add it to message_types.py, and to the table of docs/local-live-api.md."
        for name in theirs.keys() - ours.keys()
    ]
    wrong += [
        f"{message}.{name} ({where}) is not in google-genai" for name in ours.keys() - theirs.keys()
    ]
    for name in theirs.keys() & ours.keys():
        inner = ours[name].type
        for part in parts_of(theirs[name].annotation):
            if inner in MESSAGES and isinstance(part, type) and issubclass(part, BaseModel):
                wrong += compare(part, inner, f"{where}.{name}", seen)
            elif inner in ENUMS and isinstance(part, type) and issubclass(part, Enum):
                wrong += [
                    f"{value} of {where}.{name} is unknown to the local Live API"
                    for value in {member.value for member in part} ^ ENUMS[inner]
                ]
    return wrong


def test_every_field_and_value_that_google_genai_can_send_is_known() -> None:
    seen: set[str] = set()
    assert compare(types.LiveClientMessage, ROOT, "message", seen) == []
    assert seen == set(MESSAGES)


def test_a_field_that_google_genai_adds_would_be_missed() -> None:
    class LiveClientMessage(types.LiveClientMessage):
        smell: str | None = None

    [sentence] = compare(LiveClientMessage, ROOT, "message", set())
    assert "LiveClientMessage.smell" in sentence
    assert "docs/local-live-api.md" in sentence


def test_google_genai_agrees_on_what_only_one_service_knows() -> None:
    by_class: dict[str, str] = {}
    source = re.sub(r"'\s*'", "", inspect.getsource(_live_converters))
    refused: set[tuple[str, str, str]] = set()
    for function in re.split(r"(?m)^def ", source)[1:]:
        match = re.match(r"_(\w+)_to_(mldev|vertex)", function)
        if match is None:
            continue
        for name in re.findall(r"'(\w+) parameter is only supported", function):
            only = "vertex" if match[2] == "mldev" else "studio"
            refused.add((match[1], name, only))

    def walk(model: type[BaseModel], message: str) -> None:
        if by_class.setdefault(model.__name__, message) != message or message in walked:
            return
        walked.add(message)
        for name, field in model.model_fields.items():
            inner = MESSAGES[message].get(snake_case(name))
            for part in parts_of(field.annotation):
                if inner and inner.type in MESSAGES and hasattr(part, "model_fields"):
                    walk(part, inner.type)

    walked: set[str] = set()
    walk(types.LiveClientMessage, ROOT)
    theirs = {(by_class[a], b, c) for a, b, c in refused if a in by_class}
    # It can be sent on Vertex by `send_realtime_input`, which does not go through that converter.
    theirs.discard(("BidiGenerateContentRealtimeInput", "audio_stream_end", "studio"))
    ours = {
        (message, name, field.only)
        for message, fields in MESSAGES.items()
        for name, field in fields.items()
        if field.only
    }
    assert ours == theirs
