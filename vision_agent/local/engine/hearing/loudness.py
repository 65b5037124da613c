"""A level gate: which chunks may be a caller near the microphone. Pure."""

from __future__ import annotations

import bisect
import math
from collections import deque

_WINDOW_CHUNKS = 94  # 3 s
_KNOWN_CHUNKS = 16  # half a second
_QUIETEST = 16.0  # RMS of s16 samples, -66 dBFS

_LOUD = 2.0
"""6 dB above the background: worth running the model."""

_NEAR = 3.2
"""10 dB above the background: somebody near. Many talkers at once are seldom so far above their own
background."""

_CLEAR = 10.0
"""20 dB above the background. A quieter sound may be part of the noise, a dish or a voice in a
crowd, and is believed only if the model is sure."""

_ECHO_RMS = 1100.0
"""-29.5 dBFS. The loudest syllables of the agent's 30 voices are at -11.3 to -13.8 dBFS, so an echo
20 dB below them stays under this; a caller at the usual -26 dBFS passes it with every syllable."""

_BETWEEN_SYLLABLES = 3
"""Chunks: a gap of less than 100 ms belongs to the same voice."""

_AFTER_SOUND = 10
"""Chunks: the model runs for 320 ms after the last loud one."""


def dbfs(rms: float) -> float:
    """The level of s16 samples in dB relative to full scale; -100 for silence."""
    return max(-100.0, 20 * math.log10(max(rms, 1e-9) / 32768))


class BackgroundLevel:
    """The noise floor: the 20th percentile of the levels of the last three seconds.

    A single talker pauses that often, so their speech is not taken for background; a fan, water
    and a room full of people do not pause.
    """

    def __init__(self) -> None:
        # Quiet is assumed before the first chunk: a call may begin with a word. With a second of
        # assumed quiet a crowd began a turn in every stream.
        self._recent: deque[float] = deque([_QUIETEST], _WINDOW_CHUNKS)
        self._sorted = list(self._recent)

    def add(self, rms: float) -> None:
        """Take the level of the next chunk."""
        rms = max(rms, _QUIETEST)
        if len(self._recent) == _WINDOW_CHUNKS:
            del self._sorted[bisect.bisect_left(self._sorted, self._recent[0])]
        self._recent.append(rms)
        bisect.insort(self._sorted, rms)

    @property
    def known(self) -> bool:
        """Whether enough chunks were received to tell noise from a voice."""
        return len(self._recent) > _KNOWN_CHUNKS

    @property
    def rms(self) -> float:
        """RMS of the noise floor."""
        return self._sorted[len(self._sorted) // 5]


class LevelGate:
    """Finds the chunks that are loud enough to run the model on."""

    def __init__(self) -> None:
        self.background = BackgroundLevel()
        self._since_clear = self._since_near = self._since_loud = _AFTER_SOUND

    def feed(self, rms: float, *, over_agent: bool) -> None:
        """Take the level of the next chunk.

        Args:
            rms: Of its s16 samples.
            over_agent: Whether the agent's own voice may come back in it.
        """
        self.background.add(rms)
        loud = rms > _LOUD * self.background.rms
        near = rms > _NEAR * self.background.rms and (rms > _ECHO_RMS or not over_agent)
        clear = self.background.known and rms > _CLEAR * self.background.rms
        self._since_clear = 0 if clear else self._since_clear + 1
        self._since_loud = 0 if loud else self._since_loud + 1
        self._since_near = 0 if near else self._since_near + 1

    @property
    def is_idle(self) -> bool:
        """Whether it has been quiet for so long that the model need not run."""
        return self._since_loud >= _AFTER_SOUND

    @property
    def is_near(self) -> bool:
        """Whether the sound may be a caller near the microphone."""
        return self._since_near < _BETWEEN_SYLLABLES

    @property
    def is_clear(self) -> bool:
        """Whether the sound stands out from all noise."""
        return self._since_clear < _BETWEEN_SYLLABLES
