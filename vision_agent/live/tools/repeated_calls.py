"""Tells a tool call that the model repeats from a new one. Pure.

A model whose tools it waits for drops a pending call when the caller cuts in, and often makes it
again under a new id, a second or two later, while the first one still runs or has just returned.
(Recorded of gemini-3.8-live in 2026: for one request `{"slot": "tomorrow 3pm"}` and then
`{"slot": "tomorrow at 3pm"}`; a booking would be made twice.) A new connection may do the same.

So a call repeats an earlier one if both ask for the same thing, if the caller has cut in or the
connection was lost in between, and if the model has said nothing since the earlier one returned.
Without an interruption it is a second wish: two equal calls in one message are both run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.genai import types

MAX_CALLS = 64
"""Calls that may still be repeated; the oldest are forgotten."""

_WORD = re.compile(r"[-+]?\w+(?:[.,:/-]\w+)*")
_LITTLE = frozenset({"a", "an", "at", "for", "in", "of", "on", "the"})
"""Words that a model adds or leaves out when it writes an argument a second time."""

Wish = tuple[str, tuple[tuple[str, object], ...]]


@dataclass(slots=True)
class _KnownCall:
    wish: Wish
    returned: bool = False
    repeatable: bool = False


class RepeatedCalls:
    """The calls of one conversation whose results the model has not used yet."""

    def __init__(self) -> None:
        self._calls: dict[str, _KnownCall] = {}
        self._originals: dict[str, str] = {}

    def received(self, message: types.LiveServerMessage) -> None:
        """Take a message of the model, in the order of the wire."""
        content = message.server_content
        if self._calls and content and _says_something(content):
            self._calls = {key: call for key, call in self._calls.items() if not call.returned}
        if content and content.interrupted:
            self.interrupted()
        if message.tool_call:
            self._called(message.tool_call.function_calls or [])

    def interrupted(self) -> None:
        """The caller has cut in, or the connection is lost: what is pending may be repeated."""
        for call in self._calls.values():
            call.repeatable = True

    def returned(self, call_id: str) -> None:
        """A tool has returned, and the model gets its result."""
        if call := self._calls.get(call_id):
            call.returned = True

    def original_of(self, call_id: str) -> str | None:
        """The call that this one repeats; None if it is a new wish."""
        return self._originals.get(call_id)

    def _called(self, calls: list[types.FunctionCall]) -> None:
        earlier: dict[Wish, list[str]] = {}
        for key, pending in self._calls.items():
            if pending.repeatable:
                earlier.setdefault(pending.wish, []).append(key)
        for call in calls:
            if not call.id:
                continue
            wish = wish_of(call.name or "", call.args or {})
            if same := earlier.get(wish):
                self._originals[call.id] = same.pop(0)
                _trim(self._originals)
            else:
                self._calls[call.id] = _KnownCall(wish)
                _trim(self._calls)


def wish_of(name: str, args: Mapping[str, Any]) -> Wish:
    """What a call asks for, the same for arguments that differ in nothing but their wording."""
    given = ((key, value) for key, value in sorted(args.items()) if value is not None)
    return name, tuple((key, _meaning(value)) for key, value in given)


def _meaning(value: object) -> object:
    if not isinstance(value, str):
        return repr(value)
    words = [word.casefold() for word in _WORD.findall(value)]
    return tuple(word for word in words if word not in _LITTLE) or value


def _says_something(content: types.LiveServerContent) -> bool:
    said = content.output_transcription
    parts = (content.model_turn.parts if content.model_turn else None) or []
    return bool(
        (said and said.text)
        or any(part.inline_data or (part.text and not part.thought) for part in parts)
    )


def _trim(entries: dict[str, Any]) -> None:
    while len(entries) > MAX_CALLS:
        del entries[next(iter(entries))]
