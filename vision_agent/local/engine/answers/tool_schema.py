"""A function declaration, read: what it is called, what it does, what it wants. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.engine.answers.tool_words import split_name

MOST_DESCRIPTION = 4_000
"""Characters of a description that are read."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool.

    Attributes:
        name: As declared.
        kind: "string", "integer", "number", "boolean", "array" or "object".
        description: What it is, from the schema or from the tool's description.
        required: Whether the tool can't be called without it.
        choices: The values it may have, if those are listed.
        is_box: Whether it is a place in the frame, `[ymin, xmin, ymax, xmax]` of 1000.
        least: The smallest number that is taken, if that is declared.
        most: The largest.
    """

    name: str
    kind: str
    description: str
    required: bool
    choices: tuple[Any, ...] = ()
    is_box: bool = False
    least: float | None = None
    most: float | None = None

    @property
    def is_text(self) -> bool:
        """Whether it takes any words, or a list of them."""
        return self.kind in ("string", "array") and not self.choices and not self.is_box

    @property
    def words(self) -> list[str]:
        """Its name as words."""
        return split_name(self.name)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Attributes:
        name: As declared.
        description: What it does, without what it says of arguments and results.
        parameters: What it takes.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]

    @property
    def purpose(self) -> str:
        """The description without its examples, whose words may be anybody's arguments."""
        text = re.sub(r"(“[^”]*”|\"[^\"]*\"|`[^`]*`)", " ", self.description)
        return re.sub(r"\b(for example|e\.g\.|such as|for instance)[^.:;)]*", " ", text)


def read_tool(declared: Mapping[str, Any]) -> Tool:
    """A function declaration as in the setup message, in either spelling of the case."""
    text = str(declared.get("description") or "")[:MOST_DESCRIPTION]
    what, told = adk_dialect.read_docstring(text)
    schema = _schema(declared)
    required = {str(name) for name in schema.get("required") or ()}
    properties: Mapping[str, Any] = schema.get("properties") or {}
    parameters = tuple(
        _parameter(str(name), found, str(name) in required, told.get(str(name), ""))
        for name, found in properties.items()
        if isinstance(found, Mapping)
    )
    return Tool(str(declared.get("name", "")), what, parameters)


def _parameter(name: str, schema: Mapping[str, Any], required: bool, told: str) -> Parameter:
    choices = tuple(schema.get("enum") or ())
    # Optional[X] is declared as "X or null".
    for option in schema.get("anyOf") or schema.get("any_of") or ():
        if isinstance(option, Mapping) and str(option.get("type", "")).lower() != "null":
            schema = {**schema, **option}
            choices = choices or tuple(option.get("enum") or ())
            break
    kind = schema.get("type", "string" if choices else "")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "")
    kind = str(kind).lower()
    description = f"{schema.get('description') or ''} {told}".strip()
    about = f"{name} {description}".lower()
    is_box = kind == "array" and bool(re.search(r"box|ymin|xmin|y_min|x_min", about))
    least, most = _bound(schema, "minimum"), _bound(schema, "maximum")
    return Parameter(name, kind, description, required, choices, is_box, least, most)


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    try:  # in the wire form a number may stand as text
        return float(schema[name])
    except (KeyError, TypeError, ValueError):
        return None


def _schema(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("parameters", "parameters_json_schema", "parametersJsonSchema"):
        if isinstance(declared.get(name), Mapping):
            schema: Mapping[str, Any] = declared[name]
            return schema
    return {}
