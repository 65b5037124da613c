"""Writes JSON of a bounded number of bytes, whatever the values are. Pure.

A tool may return any Python object: one that is too long, is nested too deep, refers to itself, is
``NaN`` (not JSON, and no browser reads it) or has a lone surrogate (which has no UTF-8). A message
that carries such a value still has to arrive.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

CUT = "…"
"""Marks an omission: at the end of a text or list, as an object's key, or in place of a value."""

SHORTENED = "shortened"
"""The key that is set to true in the `data` of a shortened message."""

DEPTHS = (12, 2, 0)
"""How many levels of objects and lists a value keeps; tried in turn until the message fits."""

FIRST_ITEMS, LEAST_ITEMS = 1_000, 4
LEAST_CHARS = 8

_KEPT = frozenset({"label", "type", "id", "kind", "tool_call_id", "function_name", "state", "t"})
"""Fields of a message and its `data` that relate it to other messages. They are cut only beyond
`MAX_KEPT_CHARS`."""

MAX_KEPT_CHARS = 200


def encode(message: Mapping[str, object], max_bytes: int) -> str | None:
    """Writes a message as JSON.

    Args:
        message: An object whose optional `data` is an object too. A value that JSON does not have
            is written as its `str`.
        max_bytes: The longest message that the peer takes, in bytes of UTF-8.

    Returns:
        The whole message if it fits; otherwise the message shortened and marked (`CUT`,
        `SHORTENED`); None if not even its shortest form fits.
    """
    whole = _plain_json(message)
    if whole is not None and _fits(whole, max_bytes):
        return whole
    for depth in DEPTHS:
        chars, items = max_bytes, FIRST_ITEMS
        while chars >= LEAST_CHARS:
            short = _short_message(message, chars, items, depth)
            text = json.dumps(short, ensure_ascii=False, separators=(",", ":"))
            if _fits(text, max_bytes):
                return text
            chars, items = chars // 2, max(LEAST_ITEMS, items // 2)
    return None


def _plain_json(message: Mapping[str, object]) -> str | None:
    try:
        text = json.dumps(
            message, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False
        )
        text.encode()
    except Exception:  # any class of a value may raise anything in `str`
        return None
    return text


def _fits(text: str, max_bytes: int) -> bool:
    return len(text) <= max_bytes and len(text.encode()) <= max_bytes


def _bounded(value: Any, chars: int, items: int, depth: int) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return value if value.bit_length() <= 64 else CUT
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return _cut(value, chars)
        case Mapping() | list() | tuple() | set() | frozenset() if depth == 0:
            return CUT
        case Mapping():
            return _bounded_object(value, chars, items, depth)
        case list() | tuple() | set() | frozenset():
            some = [_bounded(each, chars, items, depth - 1) for each in islice(value, items)]
            return some if len(value) <= items else [*some, CUT]
    return _cut(_text(value), chars)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # raised by the value's own class
        return type(value).__name__


def _bounded_object(value: Mapping[Any, Any], chars: int, items: int, depth: int) -> dict[str, Any]:
    short = {
        _cut(_text(key), MAX_KEPT_CHARS): _bounded(inner, chars, items, depth - 1)
        for key, inner in islice(value.items(), items)
    }
    if len(value) > items:
        short[CUT] = f"{len(value) - items} more"
    return short


def _short_message(
    message: Mapping[str, object], chars: int, items: int, depth: int
) -> dict[str, Any]:
    """A message with all its fields and those of its `data`, and with bounded values."""
    short: dict[str, Any] = {}
    for name, value in message.items():
        if name == "data" and isinstance(value, Mapping):
            short[name] = _short_message(value, chars, items, depth) | {SHORTENED: True}
        elif name in _KEPT:
            short[name] = _bounded(value, MAX_KEPT_CHARS, items, 0)
        else:
            short[name] = _bounded(value, chars, items, depth)
    return short


def _cut(text: str, chars: int) -> str:
    short = text if len(text) <= chars else text[: chars - 1] + CUT
    return short.encode("utf-8", "replace").decode()
