"""The buffer between the agent's voice and the loudspeaker. No I/O, no clock.

Packets arrive in bursts, and the clocks of sender and sound card drift, so some sound is kept in
reserve. An underrun is filled with silence. A growing reserve first loses silent frames, and only
beyond the bound also speech: losing a syllable is better than lagging ever further behind.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from vision_agent.caller.level import VOICED_RMS
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples

_SAMPLES_PER_MS = SOUND_RATE_HZ // 1000
_START_MS = 20
_PLENTY_MS = 80
_BOUND_MS = 300


class Playout:
    """A bounded queue of sound; `push` and `pull` may be called from two threads."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self._starting = True

    @property
    def waiting_ms(self) -> int:
        """How much sound waits."""
        return sum(len(piece) for piece in list(self._pieces)) // _SAMPLES_PER_MS

    def push(self, samples: Samples, level: float) -> None:
        """Take the next frame of the agent's voice, and its RMS."""
        if self.waiting_ms >= _PLENTY_MS and level < VOICED_RMS:
            return
        self._pieces.append(samples)
        while self.waiting_ms > _BOUND_MS:
            self._pieces.popleft()

    def pull(self, count: int) -> Samples:
        """Return exactly `count` samples to play now, padded with silence."""
        out = np.zeros(count, np.int16)
        if self._starting and self.waiting_ms < _START_MS:
            return out
        filled = 0
        while filled < count and self._pieces:
            piece = self._pieces.popleft()
            taken = min(len(piece), count - filled)
            out[filled : filled + taken] = piece[:taken]
            filled += taken
            if taken < len(piece):
                self._pieces.appendleft(piece[taken:])
        self._starting = filled < count
        return out
