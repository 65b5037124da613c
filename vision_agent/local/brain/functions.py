"""Functions as OpenAI's interface declares and calls them, from Gemini's declarations. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_agent.local.api.json_fields import field
from vision_agent.local.contract import ToolRequest

MAX_CALLS = 16
"""Calls in one answer; further ones are dropped."""

MAX_ARGUMENTS = 100_000
"""The most characters of one call's arguments; longer ones are cut, and then are not JSON."""

_DEEPEST = 32
_OWN_FORMATS = frozenset(("enum", "int32", "int64", "float", "double"))
"""Formats of Gemini's schemas that add nothing to the types."""

_KEPT = {
    "description": "description",
    "title": "title",
    "default": "default",
    "pattern": "pattern",
    "required": "required",
    "minimum": "minimum",
    "maximum": "maximum",
}
_COUNTS = {
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
}


def declared(tools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The functions as `tools` of a chat request.

    Args:
        tools: Declarations as a Live API client sends them.
    """
    return [
        {
            "type": "function",
            "function": {
                "name": field(tool, "name"),
                "description": field(tool, "description") or "",
                "parameters": _parameters(tool),
            },
        }
        for tool in tools
    ]


def _parameters(tool: Mapping[str, Any]) -> Any:
    given = field(tool, "parameters_json_schema")
    if given is None:
        given = json_schema(field(tool, "parameters") or {})
    return given if given and "type" in given else {"type": "object", "properties": {}}


def json_schema(schema: Any, depth: int = 0) -> dict[str, Any]:
    """A JSON schema from one of Gemini's, whose types are in capitals and whose null is a flag."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return {}
    made: dict[str, Any] = {}
    kind = str(field(schema, "type") or "").lower()
    if kind and kind != "type_unspecified":
        made["type"] = kind
    for name, wanted in _KEPT.items():
        if (value := field(schema, name)) is not None:
            made[wanted] = value
    for name, wanted in _COUNTS.items():
        if (value := field(schema, name)) is not None:
            made[wanted] = int(value)
    if (form := field(schema, "format")) and form not in _OWN_FORMATS:
        made["format"] = form
    if values := field(schema, "enum"):
        made["enum"] = list(values)
    if (items := field(schema, "items")) is not None:
        made["items"] = json_schema(items, depth + 1)
    if (properties := field(schema, "properties")) is not None:
        made["properties"] = {
            name: json_schema(inner, depth + 1) for name, inner in properties.items()
        }
    if choices := field(schema, "any_of"):
        made["anyOf"] = [json_schema(inner, depth + 1) for inner in choices]
    if (more := field(schema, "additional_properties")) is not None:
        made["additionalProperties"] = (
            more if isinstance(more, bool) else json_schema(more, depth + 1)
        )
    if field(schema, "nullable"):
        _allow_null(made)
    return made


def _allow_null(schema: dict[str, Any]) -> None:
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    elif "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"].append(None)


@dataclass(slots=True)
class WrittenCall:
    """A call as the model wrote it.

    Attributes:
        key: The server's key for it while it is being written.
        name: The function's name.
        arguments: The arguments, which should be JSON.
    """

    key: str = ""
    name: str = ""
    arguments: str = ""


class WrittenCalls:
    """Puts the calls of one answer together; each may come in any number of pieces."""

    def __init__(self) -> None:
        self.calls: list[WrittenCall] = []
        self._at: dict[int, WrittenCall] = {}

    def piece(self, index: int | None, key: str, name: str, arguments: str) -> None:
        """A piece of a call.

        Args:
            index: Which call of the answer; some servers give all the same.
            key: The call's id, usually with its first piece alone.
            name: The function's name, usually with its first piece alone.
            arguments: More of the arguments.
        """
        place = -1 if index is None else index
        call = self._at.get(place)
        if call is None or (key and call.key and key != call.key) or (place < 0 and name):
            if len(self.calls) >= MAX_CALLS:
                return
            call = self._at[place] = WrittenCall(key)
            self.calls.append(call)
        call.name = call.name or name
        call.arguments = (call.arguments + arguments)[:MAX_ARGUMENTS]

    def as_text(self, text: str) -> None:
        """Takes a call, or a list of calls, that the model wrote into its answer as JSON."""
        try:
            found = json.loads(text)
        except ValueError:
            self.piece(None, "", text[:60], "")
            return
        for call in found if isinstance(found, list) else [found]:
            if isinstance(call, dict):
                arguments = call.get("arguments", call.get("parameters", {}))
                self.piece(None, "", str(call.get("name", "")), json.dumps(arguments))


def requested(
    calls: Sequence[WrittenCall], tools: Iterable[Mapping[str, Any]]
) -> tuple[list[ToolRequest], dict[int, str]]:
    """The tools that the calls ask for.

    Args:
        calls: The calls that the model wrote.
        tools: The declarations.

    Returns:
        The requests, and the errors of the invalid calls by their index.
    """
    names = [str(field(tool, "name")) for tool in tools]
    requests, wrong = [], {}
    for place, call in enumerate(calls):
        arguments = _arguments(call.arguments)
        if call.name not in names:
            there_are = ", ".join(names) or "none"
            wrong[place] = f"There is no function {call.name[:60]!r}. Functions: {there_are}."
        elif arguments is None:
            wrong[place] = "The arguments are not a JSON object. Call it again with one."
        else:
            requests.append(ToolRequest(call.name, arguments))
    return requests, wrong


def _arguments(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if text.strip() else {}
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return {} if value is None else value if isinstance(value, dict) else None
