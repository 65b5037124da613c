"""What was said in a call as WebVTT captions, which a player shows beside `call.mkv`. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

HEADER = "WEBVTT\n\n"
MIN_MS = 1_500
"""Shorter captions can't be read."""

LONGEST_MS = 60_000
_TIME = re.compile(r"(\d+):(\d\d):(\d\d)\.(\d{3})")


@dataclass(slots=True)
class _CaptionedSide:
    """When one side has made sounds that no caption covers yet."""

    began_ms: int | None = None
    ended_ms: int | None = None
    speaks: bool = False
    waiting: list[tuple[str, str]] = field(default_factory=list)


class CallCaptions:
    """Makes a caption of each line that was said.

    The words come when they are understood, or generated: the caller's after their speech, the
    agent's while it still speaks. A caption lasts as long as the sound does.
    """

    def __init__(self) -> None:
        self._sides = {"user": _CaptionedSide(), "agent": _CaptionedSide()}

    def sounds(self, who: str, on: bool, at_ms: int) -> str:
        """One side begins or stops to speak; the captions that are complete, or empty."""
        side = self._sides[who]
        side.speaks = on
        if on:
            side.began_ms = at_ms if side.began_ms is None else side.began_ms
            side.ended_ms = None
            return ""
        side.ended_ms = at_ms
        return self._take(side, at_ms)

    def said(self, who: str, name: str, text: str, at_ms: int, *, typed: bool = False) -> str:
        """One side has said something; the captions that are complete, or empty.

        Args:
            who: `user` or `agent`.
            name: What the speaker is called.
            text: The words.
            at_ms: When they were known.
            typed: Whether they were typed.
        """
        if typed:
            return _caption(at_ms, at_ms + MIN_MS, name, text)
        side = self._sides[who]
        side.waiting.append((name, text))
        return "" if side.speaks and who == "agent" else self._take(side, at_ms)

    def end(self, at_ms: int) -> str:
        """The captions that are left when the call is over."""
        return "".join(self._take(side, at_ms) for side in self._sides.values())

    def _take(self, side: _CaptionedSide, now_ms: int) -> str:
        if not side.waiting:
            return ""
        waiting, side.waiting = side.waiting, []
        begin_ms = now_ms if side.began_ms is None else side.began_ms
        end_ms = now_ms if side.ended_ms is None else side.ended_ms
        begin_ms = max(begin_ms, end_ms - LONGEST_MS)
        side.began_ms = now_ms if side.speaks else None
        each_ms = (end_ms - begin_ms) / len(waiting)
        return "".join(
            _caption(round(begin_ms + n * each_ms), round(begin_ms + (n + 1) * each_ms), *line)
            for n, line in enumerate(waiting)
        )


def moved(captions: str, by_ms: int) -> str:
    """Captions with later times.

    Args:
        captions: Whole ones, as `CallCaptions` makes them.
        by_ms: By how much.
    """

    def later(found: re.Match[str]) -> str:
        hours, minutes, seconds, ms = map(int, found.groups())
        return _time(((60 * hours + minutes) * 60 + seconds) * 1000 + ms + by_ms)

    lines = captions.splitlines(keepends=True)
    # Words have no arrow of their own: it is escaped.
    return "".join(_TIME.sub(later, line) if " --> " in line else line for line in lines)


def _caption(begin_ms: int, end_ms: int, name: str, text: str) -> str:
    who, words = (html.escape(" ".join(each.split()), quote=False) for each in (name, text))
    times = f"{_time(begin_ms)} --> {_time(max(end_ms, begin_ms + MIN_MS))}"
    return f"{times}\n<v {who}>{words}\n\n"


def _time(at_ms: int) -> str:
    minutes, ms = divmod(max(0, at_ms), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}"
