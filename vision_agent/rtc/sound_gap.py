"""What a stretch without packets from a microphone means. No I/O, no clock.

A caller who pushes to talk, stops the track or replaces it by none sends no packets at all, and no
sound is not the silence that ends a turn: the model would wait for the rest of the question. So the
gap is filled with silence in real time, as if the microphone had gone on, and when that has lasted
the sound is over, as it is with a mute.

What is short is left alone: packets come late or get lost. Opus with DTX (RFC 7587 3.1.3) pauses
for 400 ms at a time while nobody speaks; it is silent then, but never over.
"""

from __future__ import annotations

from typing import NamedTuple

SILENT_AFTER_S = 0.3
OVER_AFTER_S = 1.0
"""Two DTX pauses and a lost packet between them are shorter."""

BEHIND_S = 0.06
"""How far the silence stays behind: what is late by less is not made later by it."""

STEP_MS = 20


class Quiet(NamedTuple):
    """What to do about a gap: so much silence now, and whether the sound is over after it."""

    silence_ms: int
    over: bool


class SoundGap:
    """Judges the time since the last sound."""

    def __init__(self) -> None:
        self._heard_at_s: float | None = None
        self._filled_ms = 0

    @property
    def open(self) -> bool:
        """Whether sound has come, and is not over."""
        return self._heard_at_s is not None

    def heard(self, now_s: float) -> None:
        """Sound came."""
        self._heard_at_s = now_s
        self._filled_ms = 0

    def check(self, now_s: float) -> Quiet:
        """What there is to do by now (monotonic, as `heard`)."""
        if self._heard_at_s is None:
            return Quiet(0, False)
        gap_s = now_s - self._heard_at_s
        if gap_s < SILENT_AFTER_S:
            return Quiet(0, False)
        owed_ms = round(1000 * (min(gap_s, OVER_AFTER_S) - BEHIND_S)) - self._filled_ms
        silence_ms = max(0, owed_ms // STEP_MS * STEP_MS)
        self._filled_ms += silence_ms
        over = gap_s >= OVER_AFTER_S
        if over:
            self._heard_at_s = None
        return Quiet(silence_ms, over)
