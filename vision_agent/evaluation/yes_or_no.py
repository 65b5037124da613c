"""Reads a model's answer to a yes-or-no question. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_agent.terminal import one_line

LONGEST_REASON_CHARS = 600

_YES_OR_NO = r"(yes|no(?!\s+(?:doubt|question|problem|wonder)\b))\b"
_FIRST = re.compile(rf"\W*{_YES_OR_NO}(?!\s*(?:/|or\b|and\b))[\s,.:;!)*_\"'\u2013\u2014-]*", re.I)
_NAMED = re.compile(
    rf"\b(?:answer|verdict|conclusion)\b\W*(?:\s*is\b)?\W*{_YES_OR_NO}(?!\s*(?:/|or\b|and\b))", re.I
)
_ALONE = re.compile(rf"^\W*{_YES_OR_NO}\W*$", re.I | re.M)
_ANSWERS = ("answer", "verdict", "result", "yes_or_no")
_REASONS = ("reason", "explanation", "reasoning", "why")


@dataclass(frozen=True, slots=True)
class YesOrNo:
    """An answer.

    Attributes:
        yes: Whether it is yes.
        reason: The reason, which may be empty.
    """

    yes: bool
    reason: str


def read_answer(text: str) -> YesOrNo | None:
    """Read a model's text: JSON, or words that begin or end with yes or no.

    Returns:
        The answer; None without an answer, or if there are two that differ.
    """
    found = list(_objects(text))
    if found:
        answers = {answer for one in found if (answer := _of_object(one)) is not None}
        if len(answers) == 1:
            reasons = (one.get(name) for one in found for name in _REASONS)
            reason = next((str(each) for each in reasons if each), "")
            return YesOrNo(answers.pop(), _short(reason))
        if answers:
            return None
    first = _FIRST.match(text)
    said = {first[1].lower()} if first else set()
    said |= {match[1].lower() for pattern in (_NAMED, _ALONE) for match in pattern.finditer(text)}
    if len(said) != 1:
        return None
    return YesOrNo(said.pop() == "yes", _short(text[first.end() :] if first else text))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects anywhere in a text."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield found


def _of_object(found: dict[str, Any]) -> bool | None:
    given = {str(name).lower(): value for name, value in found.items()}
    value = next((given[name] for name in _ANSWERS if name in given), None)
    if isinstance(value, bool):
        return value
    match = _FIRST.match(value) if isinstance(value, str) else None
    return None if match is None else match[1].lower() == "yes"


def _short(reason: str) -> str:
    line = one_line(reason)
    return line if len(line) <= LONGEST_REASON_CHARS else line[:LONGEST_REASON_CHARS] + "…"
