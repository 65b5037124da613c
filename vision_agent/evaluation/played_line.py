"""Reads the text of a model that plays a caller: words, a picture to show, the end. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vision_agent.local.brain.spoken_text import spoken

LONGEST_WORDS = 300
"""Characters of one turn; twenty seconds of speech."""

_COMMAND = re.compile(r"\[\s*(show|done|give up)\b[\s:=]*([^\]\n]*)\]", re.I)
_ASIDE = re.compile(
    r"\[[^\]\n]{0,200}\]|\([^()\n]{0,200}\)|(?<![\w*])\*(?!\*)[^*\n]{1,200}\*(?![\w*])"
)
_OTHER = re.compile(r"(?:^|\n|(?<=[.!?]))\s*\**(?:assistant|agent|you|system)\**\s*:", re.I)
_SELF = re.compile(r"^\s*\**(?:caller|user|customer|me|i|person|human)\**\s*:\s*\**", re.I | re.M)
_ALONE = re.compile(r"^\W*(done|give up)\W*$", re.I)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.S)
_QUOTES = "\"'\u201c\u201d\u2018\u2019 "
_ALIKE = 0.9

Ending = Literal["done", "give up"]


@dataclass(frozen=True, slots=True)
class PlayedLine:
    """One turn of a played caller.

    Attributes:
        words: The words; empty if there are none.
        shows: The name of a picture to show first; empty if there is none.
        ends: Whether the caller then hangs up: the goal is reached, or can't be reached.
    """

    words: str
    shows: str = ""
    ends: Ending | None = None


def read_line(text: str) -> PlayedLine:
    """Read a model's text without markup, stage directions and words of the other side."""
    text = _CODE.sub(" ", text)
    if other := _OTHER.search(text):
        text = text[: other.start()]
    shows = ""
    ends: Ending | None = None
    for match in _COMMAND.finditer(text):
        command = match[1].lower()
        if command == "show":
            shows = shows or match[2].strip(_QUOTES + "<>")
        else:
            ends = "give up" if command == "give up" else "done"
    text = _ASIDE.sub(" ", _SELF.sub(" ", _COMMAND.sub(" ", text)))
    if alone := _ALONE.match(text):
        return PlayedLine("", shows, "done" if alone[1].lower() == "done" else "give up")
    lines = (spoken(line) for line in text.splitlines())
    words = " ".join(line for line in lines if line)
    if words[:1] in _QUOTES and words[-1:] in _QUOTES:
        words = words.strip(_QUOTES)
    return PlayedLine(_cut(words), shows, ends)


def is_repeated(words: str, before: Sequence[str]) -> bool:
    """Whether words repeat earlier ones, exactly or nearly."""
    plain = _plain(words)
    return any(
        difflib.SequenceMatcher(None, plain, _plain(one)).ratio() >= _ALIKE for one in before
    )


def _cut(words: str) -> str:
    """The words up to the last whole sentence that fits."""
    if len(words) <= LONGEST_WORDS:
        return words
    words = words[:LONGEST_WORDS]
    ends = [match.end() for match in re.finditer(r"[.!?](?=\s|$)", words)]
    if ends:
        return words[: ends[-1]]
    return words.rsplit(" ", 1)[0]


def _plain(words: str) -> str:
    return " ".join(re.findall(r"\w+", words.lower()))
