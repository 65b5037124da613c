"""The parts that several of a client's messages share: content and tools. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_agent.local.api.json_fields import as_list, as_object, as_text, field, invalid

MOST_FUNCTIONS = 512


def content_text(value: Any) -> str:
    """The text of a Content: its text parts, one a line. A bare string is its own text."""
    if isinstance(value, str):
        return value
    parts = as_list(field(as_object(value, "content"), "parts"), "parts")
    texts = (as_text(field(as_object(part, "part"), "text"), "text") for part in parts)
    return "\n".join(text for text in texts if text)


def declared_functions(value: Any) -> tuple[Mapping[str, Any], ...]:
    """All function declarations in a list of tools.

    Search, code execution and the like are accepted and never used: nothing here can do them.
    """
    functions: list[Mapping[str, Any]] = []
    for tool in as_list(value, "tools"):
        declarations = field(as_object(tool, "tool"), "function_declarations")
        for function in as_list(declarations, "function_declarations"):
            functions.append(as_object(function, "function_declaration"))
            if len(functions) > MOST_FUNCTIONS:
                raise invalid(f"At most {MOST_FUNCTIONS} function declarations can be specified.")
            if not as_text(field(functions[-1], "name"), "name"):
                raise invalid("Invalid function declaration: a name is needed.")
    return tuple(functions)
