"""Expectations and results in words for a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from vision_agent.caller.transcript import ToolCallRecord
from vision_agent.evaluation.expected import InTurn, PointExpected, ToolExpected, WordsExpected

_LONGEST = 400


def clipped(text: str, longest: int = _LONGEST) -> str:
    """Return a text on one line; a long one is cut."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def quoted(phrases: Iterable[str], joint: str) -> str:
    """Return phrases in quotation marks, joined by a word."""
    return clipped(f" {joint} ".join(f"“{phrase}”" for phrase in phrases))


def place(part: InTurn) -> str:
    """Return the turn that an expectation is limited to, as the end of a sentence."""
    return "" if part.turn is None else f" in turn {part.turn}"


def as_json(value: Any) -> str:
    """Return a value as JSON."""
    return clipped(json.dumps(value, ensure_ascii=False, default=str))


def said_in_words(said: WordsExpected, who: str) -> str:
    """Return the words expected of one side. `who` is "user" or "agent"."""
    parts = [quoted(said.words, "and")] if said.words else []
    parts += [quoted(said.any, "or")] if said.any else []
    parts += [f"never {quoted(said.never, 'or')}"] if said.never else []
    verb = "says" if who == "agent" else "is understood to say"
    subject = "the agent" if who == "agent" else "the caller"
    return f"{subject} {verb} {', '.join(parts)}{place(said)}"


def tool_in_words(tool: ToolExpected) -> str:
    """Return the expected tool call."""
    if tool.times == 0:
        often = "is never called"
    else:
        often = "is called" if tool.times is None else f"is called {times(tool.times)}"
    given = ""
    if tool.arguments is not None:
        given = f" with {'exactly ' if tool.exact else ''}{as_json(tool.arguments)}"
    return f"{tool.name} {often}{given}{place(tool)}"


def times(count: int) -> str:
    """Return a number of times: once, twice, 3 times."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def pointed_in_words(pointed: PointExpected) -> str:
    """Return the expected point."""
    at = "something" if pointed.label is None else f"“{pointed.label}”"
    box = ""
    if pointed.box is not None:
        box = f" at {[round(side) for side in pointed.box]} (overlap ≥ {pointed.overlap:g})"
    return f"the agent points at {at}{box}{place(pointed)}"


def calls_in_words(calls: Sequence[ToolCallRecord]) -> str:
    """Return the tool calls of a call."""
    if not calls:
        return "No tool was called."
    shown = ", ".join(
        f"{call.name}({as_json(call.arguments)}){' (cancelled)' * call.cancelled}" for call in calls
    )
    return clipped(f"Called: {shown}.", 2 * _LONGEST)
