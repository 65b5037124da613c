"""What smooths the agent's voice between the network and the speaker. No I/O, no clock.

Packets come in bursts and the two clocks drift, so a little is kept in hand. Too little is filled
with silence; too much is made up for by leaving out silence, and only past the bound by leaving out
speech, for a caller would rather lose a syllable than be ever further behind.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from vision_agent.caller.level import VOICED_RMS, rms
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
        self.left_out_ms = 0
        """Speech that was left out so far."""

    @property
    def waiting_ms(self) -> int:
        """How much waits."""
        return sum(len(piece) for piece in list(self._pieces)) // _SAMPLES_PER_MS

    def push(self, samples: Samples) -> None:
        """Take the next piece of the agent's voice."""
        if self.waiting_ms >= _PLENTY_MS and rms(samples) < VOICED_RMS:
            return
        self._pieces.append(samples)
        while self.waiting_ms > _BOUND_MS:
            self.left_out_ms += len(self._pieces.popleft()) // _SAMPLES_PER_MS

    def pull(self, count: int) -> Samples:
        """Return exactly `count` samples to play now; what isn't there is silence."""
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
