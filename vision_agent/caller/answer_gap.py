"""Where one answer ends and the next one begins in the agent's voice. No I/O, no clock."""

from __future__ import annotations

QUIET_MS = 300
"""The shortest silence between two answers. Pauses inside a sentence are shorter."""

_TAIL_MS = 40
"""A packet of the interrupted answer may arrive after the message that reports the interruption."""


class AnswerGap:
    """Tells the rest of an answer from the next one, which may follow an interruption at once."""

    def __init__(self) -> None:
        self._interrupted_ms: int | None = None

    def interrupted(self, at_ms: int) -> None:
        """Note that an answer was interrupted: the voice from `at_ms` on is the next answer's."""
        self._interrupted_ms = at_ms

    def goes_on(self, silent_since_ms: int, arrived_ms: int) -> bool:
        """Whether a voiced packet belongs to the same answer as the one before; ask once for each.

        Args:
            silent_since_ms: The end of the voiced packet before.
            arrived_ms: When this one arrived.
        """
        quiet_ms = arrived_ms - silent_since_ms
        cut_ms = self._interrupted_ms
        if cut_ms is None or arrived_ms < cut_ms:
            return quiet_ms < QUIET_MS
        if arrived_ms < cut_ms + _TAIL_MS and quiet_ms <= _TAIL_MS:
            return True
        self._interrupted_ms = None
        return False
