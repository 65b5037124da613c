"""Whether media arrives faster than this process can handle it."""

from __future__ import annotations

import logging
from collections import deque

logger = logging.getLogger(__name__)

TIMES = 3
"""How often media must have been dropped for the process to be overloaded. A single drop may be a
short stall."""

WITHIN_S = 30.0
"""At a load of 110 %, media is dropped every 11 s, each time it has fallen a second behind."""

APART_S = 1.0
"""Drops closer together count once, because every socket drops after the same stall."""

TOLD_EVERY_S = 60.0

_HELD_UP = (
    "Callers' packets waited too long for this process; %d were dropped. Something held it up, or "
    "it has more to do than it can."
)
_OVERLOADED = (
    "Callers' packets arrive faster than this process can handle them; %d were dropped. Allow "
    "fewer calls at once (--max-calls), or answer them with `cluster`."
)


class Overload:
    """Counts the media that was dropped unhandled, and logs it. No I/O, no clock.

    Attributes:
        dropped: how many datagrams were dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._at_s: deque[float] = deque(maxlen=TIMES)
        self._told_at_s: dict[str, float] = {}

    def note(self, dropped: int, now_s: float) -> None:
        """Notes that media was dropped: how many datagrams, and the monotonic time."""
        self.dropped += dropped
        if not self._at_s or now_s - self._at_s[-1] >= APART_S:
            self._at_s.append(now_s)
        text = _OVERLOADED if self.lasts(now_s) else _HELD_UP
        if now_s - self._told_at_s.get(text, float("-inf")) >= TOLD_EVERY_S:
            self._told_at_s[text] = now_s
            logger.warning(text, dropped)

    def lasts(self, now_s: float) -> bool:
        """Whether media was dropped `TIMES` times within the last `WITHIN_S`."""
        return len(self._at_s) == TIMES and now_s - self._at_s[0] <= WITHIN_S


current = Overload()
"""The overload of this process."""
