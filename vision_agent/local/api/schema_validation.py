"""Refuses unknown fields in a client's messages, in the words of the public service. Pure.

The words are those of Google's JSON transcoding, which reads the messages there: an unknown name
with the path to it, a value of another type with the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused, invalid, unknown_name
from vision_agent.local.api.schema import ENUMS, MESSAGES, ROOT, Field

_STUDIO_PACKAGE = "google.ai.generativelanguage"
_VERTEX_PACKAGE = "google.cloud.aiplatform"

_SCALARS = {
    "string": "TYPE_STRING",
    "bytes": "TYPE_BYTES",
    "bool": "TYPE_BOOL",
    "int": "TYPE_INT32",
    "number": "TYPE_FLOAT",
}


def check_message(message: Mapping[str, Any], endpoint: Endpoint) -> None:
    """Checks every name and every type in a message; other modules judge the values.

    Args:
        message: Everything in one WebSocket message.
        endpoint: Which service it was sent to, and in which API version.

    Raises:
        Refused: 1007, with the first thing that does not belong there.
    """
    _Check(endpoint).message(message, ROOT, "")


def snake_case(name: str) -> str:
    """A name as the service's definitions spell it, from either spelling."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


_MAX_DEPTH = 64
"""How deeply messages may nest; a schema refers to itself, and the check recurses with it."""


class _Check:
    def __init__(self, endpoint: Endpoint) -> None:
        package = _VERTEX_PACKAGE if endpoint.vertex else _STUDIO_PACKAGE
        self._package = f"{package}.{endpoint.version}"
        self._unknown = {"studio" if endpoint.vertex else "vertex"}
        if not endpoint.vertex and endpoint.version != "v1alpha":
            self._unknown.add("alpha")

    def message(self, value: Mapping[str, Any], kind: str, path: str) -> None:
        if path.count(".") > _MAX_DEPTH:
            raise invalid("Message too deep. Max recursion depth reached.")
        fields = MESSAGES[kind]
        for name, held in value.items():
            known = snake_case(name)
            field = fields.get(known)
            if field is None or field.only in self._unknown:
                raise unknown_name(name, path)
            if held is not None:
                self._field(held, field, name, path, f"{path}.{known}" if path else known)

    def _field(self, held: Any, field: Field, name: str, path: str, own_path: str) -> None:
        if field.mapped:
            for value in self._object(held, field.type, own_path).values():
                self._value(value, field.type, own_path)
        elif not field.repeated:
            if isinstance(held, list) and field.type != "any":
                raise unknown_name(name, path, "Proto field is not repeating, cannot start list.")
            self._value(held, field.type, own_path)
        elif isinstance(held, list):
            for index, value in enumerate(held):
                self._value(value, field.type, f"{own_path}[{index}]")
        else:
            # The transcoding takes one value for a list of one; Google's own examples do so.
            self._value(held, field.type, own_path)

    def _value(self, value: Any, kind: str, path: str) -> None:
        if kind in MESSAGES:
            self.message(self._object(value, kind, path), kind, path)
        elif kind == "object":
            self._object(value, "Struct", path)
        elif kind in ENUMS:
            if not isinstance(value, str) or value.upper() not in ENUMS[kind]:
                raise self._invalid_value(value, kind, path)
        elif kind != "any" and not _fits(value, kind):
            raise self._invalid_value(value, kind, path)

    def _object(self, value: Any, kind: str, path: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self._invalid_value(value, kind, path)
        return value

    def _invalid_value(self, value: Any, kind: str, path: str) -> Refused:
        type_name = _SCALARS.get(kind) or f"type.googleapis.com/{self._package}.{kind}"
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        return invalid(f"Invalid value at '{path}' ({type_name}), {shown[:60]}")


def _fits(value: Any, kind: str) -> bool:
    if kind in ("string", "bytes"):
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, str):
        # Protobuf's JSON may write a number as a string.
        try:
            value = int(value[:20]) if kind == "int" else float(value)
        except ValueError:
            return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind == "number" or value == value // 1
