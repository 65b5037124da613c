"""Time stamps of sent video frames: RTP's 90 kHz clock, read when a frame is sent."""

from __future__ import annotations

import fractions
import time

import av

CLOCK_HZ = 90_000
_TIME_BASE = fractions.Fraction(1, CLOCK_HZ)


class VideoClock:
    """Stamps frames with the time since the clock was made; stamps always grow.

    The moment of sending stays true over held frames, loops of a recording and stalls.
    """

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._pts = -1

    def stamp(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Set the frame's `pts` and `time_base` to now; returns the frame."""
        elapsed_s = time.monotonic() - self._began_at
        self._pts = max(self._pts + 1, int(elapsed_s * CLOCK_HZ))
        frame.pts, frame.time_base = self._pts, _TIME_BASE
        return frame
