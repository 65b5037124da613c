"""The words of a request, each of which is used for at most one argument. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vision_agent.local.engine.language.clock_times import clock_time

BEFORE_TEXT = (
    "in",
    "for",
    "of",
    "to",
    "about",
    "on",
    "at",
    "from",
    "named",
    "called",
    "that",
    "is",
)
"""Words that precede the value of an argument."""

_LEADING = frozenset("to that about for at of on in if when the a an please is".split())  # noqa: SIM905
_TRAILING = frozenset("please thanks now and to for is are at on do we i have there".split())  # noqa: SIM905
_SOME_DAY = datetime(2000, 1, 3)


class RequestWords:
    """The words of a request, and which of them an argument already uses.

    Args:
        words: Normalised words.
        asked: Start and end (exclusive) of a phrase that asks for the tool: "remind me".
        now: The present time, for values that are a time of day; None if unknown.
    """

    def __init__(
        self,
        words: Sequence[str],
        asked: tuple[int, int] | None = None,
        now: datetime | None = None,
    ) -> None:
        self.words = list(words)
        self.now = now
        # Even if the present time is unknown, "at five" is not the number five.
        self.clock = clock_time(words, now or _SOME_DAY)
        self.free = [True] * len(self.words)
        self.after = 0
        if asked is not None:
            self.use(*asked)
            self.after = asked[1]

    def use(self, start: int, end: int) -> None:
        """Mark words as used by an argument."""
        self.free[start:end] = [False] * (end - start)

    def rest(self) -> list[str]:
        """The words that no argument uses yet."""
        return [word for word, free in zip(self.words, self.free, strict=True) if free]


def plain_text(words: Sequence[str]) -> str:
    """A text without the function words at its beginning and end."""
    kept = list(words)
    while kept and kept[0] in _LEADING:
        kept.pop(0)
    while kept and kept[-1] in _TRAILING:
        kept.pop()
    return " ".join(kept)
