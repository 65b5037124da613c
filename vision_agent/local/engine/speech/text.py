"""Splits text for the speech synthesiser into sentences of bounded length. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT_CHARS = 20_000
"""About twenty minutes of speech; the rest of a longer text is not spoken."""

MAX_SENTENCE_CHARS = 200
"""Longer sentences are spoken in parts, so that one text cannot hold up the others."""

_FIRST_PART_CHARS = 100
"""A longer first sentence is spoken in clauses: its sound comes when the first one is synthesised,
at 5 ms for a second of speech."""

MAX_SENTENCE_S = 60
"""The sound of a sentence is cut here: 200 letters take 15 s, but 200 digits take minutes."""

# hibari's own pause at a comma is 300 ms.
SENTENCE_PAUSE_MS = 300
_CLAUSE_PAUSE_MS = 250
_PART_PAUSE_MS = 60

_SENTENCE_END = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)|[\u3002\uff01\uff1f]+|\n+")
# A full stop after these does not end a sentence.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|[a-z])\.$", re.I
)
_UNSPEAKABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPOKEN = re.compile(r"\w|[^\x00-\x7f]|[%&@#+=$<>*/\\^~|{}\[\]]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of text that is synthesised at once.

    Attributes:
        text: At most ``MAX_SENTENCE_CHARS`` characters, no control characters.
        pause_ms: The silence after it.
    """

    text: str
    pause_ms: int


def sentences(text: str) -> Iterator[Sentence]:
    """Splits a text into sentences.

    Args:
        text: Any text. Control characters count as spaces, and only the first ``MAX_TEXT_CHARS``
            characters are used.

    Yields:
        The sentences that have anything to pronounce, in order.
    """
    # A NUL would end the text in C.
    clean = _UNSPEAKABLE.sub(" ", text[:MAX_TEXT_CHARS])
    room = _FIRST_PART_CHARS
    start = 0
    for end in _SENTENCE_END.finditer(clean):
        if end[0].startswith(".") and _ABBREVIATION.search(clean[start : end.end()]):
            continue
        for sentence in _parts(clean[start : end.end()], room):
            yield sentence
            room = MAX_SENTENCE_CHARS
        start = end.end()
    yield from _parts(clean[start:], room)


def _parts(sentence: str, room: int) -> Iterator[Sentence]:
    """Splits a sentence at its clauses, or between words where that is not enough.

    Args:
        sentence: Of any length.
        room: The most characters of the first part, if the sentence has so short a clause.
    """
    rest = " ".join(sentence.split())
    while len(rest) > room:
        head = rest[: room + 1]
        cut = max(head.rfind(mark) + 1 for mark in (", ", "; ", ": "))
        pause_ms = _CLAUSE_PAUSE_MS
        if cut < room // 4:
            if room < MAX_SENTENCE_CHARS:
                room = MAX_SENTENCE_CHARS
                continue
            cut, pause_ms = head.rfind(" "), _PART_PAUSE_MS
            if cut < room // 3:
                cut = room
        yield from _spoken(rest[:cut].rstrip(), pause_ms)
        rest, room = rest[cut:].lstrip(), MAX_SENTENCE_CHARS
    yield from _spoken(rest, SENTENCE_PAUSE_MS)


def _spoken(text: str, pause_ms: int) -> Iterator[Sentence]:
    if _SPOKEN.search(text):
        yield Sentence(text, pause_ms)
