"""Gemini's function declarations as OpenAI's tools, and the model's calls."""

from __future__ import annotations

import pytest

from vision_agent.local.brain.functions import WrittenCalls, declared, json_schema, requested
from vision_agent.local.contract import ToolRequest

TOOLS = [{"name": "look"}, {"name": "timer"}]


@pytest.mark.parametrize(
    ("gemini", "plain"),
    [
        ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "maxItems": "4"},
            {"type": "array", "items": {"type": "number"}, "maxItems": 4},
        ),
        (
            {"any_of": [{"type": "INTEGER"}, {"type": "STRING"}], "nullable": True},
            {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        ),
        (
            {
                "type": "OBJECT",
                "properties": {"at": {"type": "STRING", "format": "date-time"}},
                "required": ["at"],
                "property_ordering": ["at"],
            },
            {
                "type": "object",
                "properties": {"at": {"type": "string", "format": "date-time"}},
                "required": ["at"],
            },
        ),
    ],
)
def test_a_schema_is_written_as_json_schema(gemini: dict, plain: dict) -> None:
    assert json_schema(gemini) == plain


def test_a_declaration_becomes_a_function() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    functions = declared(
        [
            {"name": "bare"},
            {"name": "own", "description": "Does.", "parametersJsonSchema": schema},
            {"name": "empty", "parameters": {"type": "OBJECT"}},
        ]
    )
    assert [each["function"]["name"] for each in functions] == ["bare", "own", "empty"]
    assert functions[0]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert functions[1]["function"] == {
        "name": "own",
        "description": "Does.",
        "parameters": schema,
    }


def test_several_calls_are_put_together_from_their_pieces() -> None:
    calls = WrittenCalls()
    calls.piece(0, "a", "look", "")
    calls.piece(1, "b", "timer", '{"sec')
    calls.piece(0, "", "", "{}")
    calls.piece(1, "", "", 'onds": 5}')
    requests, wrong = requested(calls.calls, TOOLS)
    assert requests == [ToolRequest("look"), ToolRequest("timer", {"seconds": 5})]
    assert wrong == {}


def test_calls_of_a_server_that_counts_none_of_them_are_apart() -> None:
    calls = WrittenCalls()
    for call_id, seconds in (("a", "1"), ("b", "2")):
        calls.piece(0, call_id, "timer", f'{{"seconds": {seconds}}}')
    calls.as_text('[{"name": "look", "arguments": {}}, {"name": "look", "parameters": {"x": 1}}]')
    requests, wrong = requested(calls.calls, TOOLS)
    assert [request.args for request in requests] == [{"seconds": 1}, {"seconds": 2}, {}, {"x": 1}]
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("fly", "{}", "no function 'fly'"),
        ("look", "{", "not a JSON object"),
        ("look", "[1]", "not a JSON object"),
        ("look", "[" * 100_000, "not a JSON object"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(name: str, arguments: str, why: str) -> None:
    calls = WrittenCalls()
    calls.piece(0, "a", name, arguments)
    requests, wrong = requested(calls.calls, TOOLS)
    assert requests == []
    assert why in wrong[0]


@pytest.mark.parametrize("arguments", ["", "null", '"{}"', "{}"])
def test_no_arguments_come_in_several_forms(arguments: str) -> None:
    calls = WrittenCalls()
    calls.piece(0, "a", "look", arguments)
    assert requested(calls.calls, TOOLS) == ([ToolRequest("look")], {})
