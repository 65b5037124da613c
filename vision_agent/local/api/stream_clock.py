"""The clock of a caller's stream. Pure: the time of day is an argument."""

from __future__ import annotations

_GAP_MS = 500
"""Longest pause between two chunks that is taken for jitter rather than for a closed microphone."""


class StreamClock:
    """Milliseconds since the session began, counted in the caller's sound.

    While sound flows its samples are the clock, so that a recording sent faster or slower than
    real time keeps its own order of words and frames. Without sound (typed calls, a muted
    microphone) there is nothing to count: then the time of day carries the clock on from the last
    chunk, and when sound comes back the pause stays in the clock. It never runs backwards.
    """

    def __init__(self, now_ms: float) -> None:
        self._audio_ms = 0.0
        self._pauses_ms = 0.0
        self._touched_ms = now_ms
        self._latest_ms = 0

    def audio(self, duration_ms: float, now_ms: float) -> None:
        """A chunk of ``duration_ms`` arrived at ``now_ms``."""
        pause_ms = now_ms - self._touched_ms - duration_ms
        if pause_ms > _GAP_MS:
            self._pauses_ms += pause_ms
        self._audio_ms += duration_ms
        self._touched_ms = now_ms

    def at(self, now_ms: float) -> int:
        """The stream's time at ``now_ms``."""
        idle_ms = now_ms - self._touched_ms
        stream_ms = self._audio_ms + self._pauses_ms + (idle_ms if idle_ms > _GAP_MS else 0)
        self._latest_ms = max(self._latest_ms, round(stream_ms))
        return self._latest_ms
