"""Reads a function declaration: the tool's name, its purpose and its parameters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.engine.answers.tool_words import split_name

MOST_DESCRIPTION = 4_000
"""Characters of a description that are used."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool.

    Attributes:
        name: The declared name.
        kind: "string", "integer", "number", "boolean", "array" or "object".
        description: Its meaning, from the schema or from the tool's description.
        required: Whether the tool can't be called without it.
        choices: The allowed values, if they are listed.
        is_box: Whether it is a box in the frame, `[ymin, xmin, ymax, xmax]` from 0 to 1000.
        least: The declared minimum of a number, if any.
        most: The declared maximum of a number, if any.
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
        """Whether it takes free text, or a list of texts."""
        return self.kind in ("string", "array") and not self.choices and not self.is_box

    @property
    def words(self) -> list[str]:
        """The name, divided into words."""
        return split_name(self.name)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Attributes:
        name: The declared name.
        description: The declared description without its sections on arguments and results.
        parameters: The declared parameters.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]

    @property
    def purpose(self) -> str:
        """The description without its examples, whose words may be arguments of any request."""
        text = re.sub(r"(“[^”]*”|\"[^\"]*\"|`[^`]*`)", " ", self.description)
        return re.sub(r"\b(for example|e\.g\.|such as|for instance)[^.:;)]*", " ", text)


def read_tool(declared: Mapping[str, Any]) -> Tool:
    """Reads a function declaration of the setup message, with keys in camel case or snake case."""
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
    try:  # on the wire a number may be a string
        return float(schema[name])
    except (KeyError, TypeError, ValueError):
        return None


def _schema(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("parameters", "parameters_json_schema", "parametersJsonSchema"):
        if isinstance(declared.get(name), Mapping):
            schema: Mapping[str, Any] = declared[name]
            return schema
    return {}
