"""Cuts an answer into segments for RTVI 2's `bot-output`, and tracks their playback. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARS = 160
"""A longer sentence is shown in parts, so that a reader need not wait for its end."""
MAX_SENTENCE_CHARS = 2 * MAX_CHARS
"""A sentence that arrives in one piece is shown whole up to this length."""

_TAIL_CHARS = 64
"""So far back is looked for the end of a sentence that ends its piece."""

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+")  # noqa: RUF001
_ENDS_ON_A_WORD = re.compile(r"[^\W\d][!?.…]+[\"'”’)\]]*$")  # noqa: RUF001
_ENDS = re.compile(r"[.!?…]+[\"'”’)\]]*$")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, or a part of a long one.

    Attributes:
        number: Counts through the whole call.
        text: Its words, without white space around them.
        start: Where it begins in the answer's text, in characters.
    """

    number: int
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a segment has been played: whole words from its beginning."""

    segment: Segment
    spoken: str

    @property
    def completed(self) -> bool:
        """Whether all of it has been played."""
        return self.spoken == self.segment.text


class AnswerSegments:
    """Cuts one answer into segments while it arrives.

    Args:
        first_number: The number of its first segment.
    """

    def __init__(self, first_number: int) -> None:
        self.next_number = first_number
        self._text = ""
        self._start = 0
        self._unspoken: list[Segment] = []
        self._shown = ""

    def words(self, piece: str) -> list[Segment]:
        """Take the next piece of the answer; returns the segments that are complete now."""
        found: list[Segment] = []
        # Models leave out the space between the sentences of two pieces, but also split "3.5 m".
        if piece[:1].isalpha() and _ENDS.search(self._text, self._tail):
            found += self._cut(len(self._text))
        self._text += piece
        while (end := self._next_end()) is not None:
            found += self._cut(end)
        return found

    def end(self) -> list[Segment]:
        """The answer is complete: the rest is its last segment."""
        return self._cut(len(self._text))

    def spoken(self, chars: int) -> list[Progress]:
        """What has changed, with the first `chars` characters of the answer played."""
        changed: list[Progress] = []
        while self._unspoken:
            segment = self._unspoken[0]
            said = segment.text[: max(0, chars - segment.start)].rstrip()
            if said and said != self._shown:
                changed.append(Progress(segment, said))
                self._shown = said
            if said != segment.text:
                break
            self._unspoken.pop(0)
            self._shown = ""
        return changed

    @property
    def _tail(self) -> int:
        return max(self._start, len(self._text) - _TAIL_CHARS)

    def _next_end(self) -> int | None:
        # A piece can have any length, so no search may reach from each segment to its end.
        if end := _END.search(self._text, self._start, self._start + MAX_SENTENCE_CHARS):
            return end.end()
        left = len(self._text) - self._start
        if left <= MAX_SENTENCE_CHARS and _ENDS_ON_A_WORD.search(self._text, self._tail):
            return len(self._text) if left else None
        if left > MAX_CHARS:
            space = self._text.rfind(" ", self._start + 1, self._start + MAX_CHARS)
            return space if space > 0 else self._start + MAX_CHARS
        return None

    def _cut(self, end: int) -> list[Segment]:
        part, start = self._text[self._start : end], self._start
        self._start = end
        text = part.strip()
        if not text:
            return []
        segment = Segment(self.next_number, text, start + part.index(text))
        self.next_number += 1
        self._unspoken.append(segment)
        return [segment]
