"""How long replies take: from the caller's last word to the agent's first. No I/O, no clock."""

from __future__ import annotations

from vision_agent.caller.answer_gap import AnswerGap
from vision_agent.caller.level import VOICED_RMS

_LOUDEST_FLOOR_RMS = 400.0
_LEAST_VOICED_RMS = 200.0
_ABOVE_FLOOR = 4.0
# The noise floor follows a quieter room at once and a louder one within seconds.
_FLOOR_RISE = 1.01


class ReplyWatch:
    """Follows the levels of both sides' frames and times each reply.

    Attributes:
        said_ms: When the caller last spoke or typed; None before that.
        answered_ms: When the answer to it began to arrive; None before that.
        silent_since_ms: The end of the agent's newest voiced frame; None before the first.
        received_ms: The end of the agent's newest frame, voiced or not; None before the first.
    """

    def __init__(self) -> None:
        self.said_ms: int | None = None
        self.answered_ms: int | None = None
        self.silent_since_ms: int | None = None
        self.received_ms: int | None = None
        self._floor_rms = _LOUDEST_FLOOR_RMS
        self._gap = AnswerGap()

    def interrupted(self, at_ms: int) -> None:
        """Note that the server said at `at_ms` that the caller has interrupted an answer."""
        self._gap.interrupted(at_ms)

    def typed(self, now_ms: int) -> None:
        """Note that the caller sent a typed line."""
        self.said_ms, self.answered_ms = now_ms, None

    def sent(self, rms: float, now_ms: int) -> bool:
        """Take the level of a sent frame; returns whether the frame was voiced."""
        self._floor_rms = min(rms + 1, self._floor_rms * _FLOOR_RISE, _LOUDEST_FLOOR_RMS)
        voiced = rms > max(_LEAST_VOICED_RMS, _ABOVE_FLOOR * self._floor_rms)
        if voiced:
            self.said_ms, self.answered_ms = now_ms, None
        return voiced

    def received(self, rms: float, length_ms: int, arrived_ms: int) -> int | None:
        """Take a received frame's level; returns the reply time in ms if it begins an answer."""
        self.received_ms = arrived_ms + length_ms
        if rms < VOICED_RMS:
            return None
        last_ms, self.silent_since_ms = self.silent_since_ms, self.received_ms
        goes_on = last_ms is not None and self._gap.goes_on(last_ms, arrived_ms)
        if self.said_ms is None or self.answered_ms is not None or arrived_ms < self.said_ms:
            return None
        if goes_on:
            return None  # the rest of the answer that the caller interrupted
        self.answered_ms = arrived_ms
        return arrived_ms - self.said_ms
