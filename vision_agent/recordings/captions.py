"""The words of a call as WebVTT captions, which a player shows beside `call.mkv`. Pure."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass, field
from heapq import heappop, heappush

HEADER = "WEBVTT\n\n"
MIN_MS = 1_500
"""The least length of a caption: shorter ones can't be read."""

LONGEST_MS = 60_000
WORDS_WITHIN_MS = 15_000
"""The longest time from a sound to its words; a sound without words by then was a noise."""

_TIME = re.compile(r"(\d+):(\d\d):(\d\d)\.(\d{3})")


@dataclass(slots=True)
class _CaptionedSide:
    """The sounds of one side that no caption covers yet."""

    began_ms: int | None = None
    ended_ms: int | None = None
    speaks: bool = False
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def may_begin_ms(self, now_ms: int) -> int:
        """The earliest beginning of the next caption."""
        if self.began_ms is None:
            return now_ms
        if self.ended_ms is None:
            return max(self.began_ms, now_ms - LONGEST_MS)
        is_noise = not self.waiting and now_ms - self.ended_ms > WORDS_WITHIN_MS
        return now_ms if is_noise else max(self.began_ms, self.ended_ms - LONGEST_MS)


@dataclass(frozen=True, slots=True, order=True)
class _Caption:
    begin_ms: int
    number: int
    end_ms: int
    name: str
    text: str


class CallCaptions:
    """Makes a caption of each transcript line, in the order in which they begin.

    The words come when they are recognised, or generated: the caller's after their speech, the
    agent's when it has spoken. A caption lasts as long as its sound. It waits for captions of the
    other side that begin before it, because WebVTT requires ascending beginnings.
    """

    def __init__(self) -> None:
        self._sides = {"user": _CaptionedSide(), "agent": _CaptionedSide()}
        self._ready: list[_Caption] = []
        self._made = self._written_ms = 0

    def sounds(self, who: str, on: bool, at_ms: int) -> str:
        """One side begins or stops speaking; returns the captions that are complete."""
        side = self._sides[who]
        side.speaks = on
        if on:
            side.began_ms = at_ms if side.began_ms is None else side.began_ms
            side.ended_ms = None
        else:
            side.ended_ms = at_ms
            self._take(side, at_ms)
        return self.due(at_ms)

    def said(self, who: str, name: str, text: str, at_ms: int, *, typed: bool = False) -> str:
        """One side has said something; returns the captions that are complete.

        Args:
            who: `user` or `agent`.
            name: The speaker's name.
            text: The words.
            at_ms: When they were known.
            typed: Whether they were typed.
        """
        if typed:
            self._add(at_ms, at_ms, name, text)
        else:
            side = self._sides[who]
            side.waiting.append((name, text))
            if not (side.speaks and who == "agent"):
                self._take(side, at_ms)
        return self.due(at_ms)

    def due(self, now_ms: int) -> str:
        """The captions before which no other can begin any more."""
        return self._until(min(side.may_begin_ms(now_ms) for side in self._sides.values()))

    def end(self, at_ms: int) -> str:
        """The remaining captions at the end of the call."""
        for side in self._sides.values():
            self._take(side, at_ms)
        return self._until(math.inf)

    def _take(self, side: _CaptionedSide, now_ms: int) -> None:
        if not side.waiting:
            return
        waiting, side.waiting = side.waiting, []
        begin_ms = now_ms if side.began_ms is None else side.began_ms
        end_ms = now_ms if side.ended_ms is None else side.ended_ms
        begin_ms = max(begin_ms, end_ms - LONGEST_MS)
        side.began_ms = now_ms if side.speaks else None
        each_ms = (end_ms - begin_ms) / len(waiting)
        for n, line in enumerate(waiting):
            self._add(round(begin_ms + n * each_ms), round(begin_ms + (n + 1) * each_ms), *line)

    def _add(self, begin_ms: int, end_ms: int, name: str, text: str) -> None:
        self._made += 1
        # Words that came later than expected.
        begin_ms = max(begin_ms, self._written_ms)
        heappush(self._ready, _Caption(begin_ms, self._made, end_ms, name, text))

    def _until(self, at_ms: float) -> str:
        texts = []
        while self._ready and self._ready[0].begin_ms <= at_ms:
            caption = heappop(self._ready)
            self._written_ms = caption.begin_ms
            texts.append(_text(caption))
        return "".join(texts)


def moved(captions: str, by_ms: int) -> str:
    """Captions with later times.

    Args:
        captions: Whole captions of `CallCaptions`.
        by_ms: The shift.
    """

    def later(found: re.Match[str]) -> str:
        hours, minutes, seconds, ms = map(int, found.groups())
        return _time(((60 * hours + minutes) * 60 + seconds) * 1000 + ms + by_ms)

    lines = captions.splitlines(keepends=True)
    # The words contain no such arrow: it is escaped in them.
    return "".join(_TIME.sub(later, line) if " --> " in line else line for line in lines)


def _text(caption: _Caption) -> str:
    name, words = (
        html.escape(" ".join(each.split()), quote=False) for each in (caption.name, caption.text)
    )
    end_ms = max(caption.end_ms, caption.begin_ms + MIN_MS)
    return f"{_time(caption.begin_ms)} --> {_time(end_ms)}\n<v {name}>{words}\n\n"


def _time(at_ms: int) -> str:
    minutes, ms = divmod(max(0, at_ms), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}"
