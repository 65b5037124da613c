"""Whether media arrives faster than this process can handle it."""

from __future__ import annotations

import logging
from collections import deque

logger = logging.getLogger(__name__)

TIMES = 3
"""How often media must have been dropped for the process to be overloaded. Once is a hold-up."""

WITHIN_S = 10.0

TOLD_EVERY_S = 60.0


class Overload:
    """Counts the media that was dropped unhandled, and says so in the log. No I/O, no clock.

    Attributes:
        dropped: how many datagrams were dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._at_s: deque[float] = deque(maxlen=TIMES)
        self._told_at_s: float | None = None

    def note(self, dropped: int, now_s: float) -> None:
        """Media was dropped: so many datagrams, at this monotonic time."""
        self.dropped += dropped
        self._at_s.append(now_s)
        if self._told_at_s is None or now_s - self._told_at_s >= TOLD_EVERY_S:
            self._told_at_s = now_s
            logger.warning(
                "Callers' packets arrive faster than this process can handle them; %d were "
                "dropped. Allow fewer calls at once (--max-calls), or answer them with `cluster`.",
                dropped,
            )

    def lasts(self, now_s: float) -> bool:
        """Whether media was dropped `TIMES` times within the last `WITHIN_S`."""
        return len(self._at_s) == TIMES and now_s - self._at_s[0] <= WITHIN_S


current = Overload()
"""This process's."""
