"""Judges a gap without packets from a microphone. No I/O, no clock.

A caller who uses push-to-talk, stops the track or removes it sends no packets at all. A model ends
a turn at silence, and without audio it would wait for the rest of the question. So the gap is
filled with silence in real time, as if the microphone had continued. After `OVER_AFTER_S` the audio
is over, as it is after a mute.

A short gap is not filled, because packets arrive late or get lost. Opus with DTX (RFC 7587 3.1.3)
pauses for 400 ms at a time while nobody speaks; such a pause is filled but does not end the audio.
"""

from __future__ import annotations

from typing import NamedTuple

SILENT_AFTER_S = 0.3
OVER_AFTER_S = 1.0
"""Longer than two DTX pauses with a lost packet between them."""

BEHIND_S = 0.06
"""How far the silence stays behind real time: it does not delay audio that is late by less."""

STEP_MS = 20


class Quiet(NamedTuple):
    """How much silence to add to a gap now, and whether the audio is over after it."""

    silence_ms: int
    over: bool


class SoundGap:
    """Judges the time since the last audio arrived."""

    def __init__(self) -> None:
        self._received_at_s: float | None = None
        self._filled_ms = 0

    @property
    def open(self) -> bool:
        """Whether audio has arrived and is not over."""
        return self._received_at_s is not None

    def received(self, now_s: float) -> None:
        """Notes that audio arrived at `now_s` (monotonic)."""
        self._received_at_s = now_s
        self._filled_ms = 0

    def check(self, now_s: float) -> Quiet:
        """What to do about the gap at `now_s` (monotonic)."""
        if self._received_at_s is None:
            return Quiet(0, False)
        gap_s = now_s - self._received_at_s
        if gap_s < SILENT_AFTER_S:
            return Quiet(0, False)
        owed_ms = round(1000 * (min(gap_s, OVER_AFTER_S) - BEHIND_S)) - self._filled_ms
        silence_ms = max(0, owed_ms // STEP_MS * STEP_MS)
        self._filled_ms += silence_ms
        over = gap_s >= OVER_AFTER_S
        if over:
            self._received_at_s = None
        return Quiet(silence_ms, over)
