"""Detects whether the caller seems to be speaking: an energy gate that adapts to the room. No I/O.

The gate costs about 5 microseconds a chunk and needs no model. It does not decide about turns: the
model does. It says, for example, when to take a camera frame and what to show on the page.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import numpy as np

CHUNK_MS = 20
_SILENCE = bytes(2 * 16 * CHUNK_MS)
# Levels are mean squares of 16-bit samples. Speech is louder than the noise by far more than 9 dB.
# Except between words, it seldom falls to within 5 dB of the noise or 25 dB below its own peaks.
START_ABOVE_NOISE = 10**0.9
STOP_ABOVE_NOISE = 10**0.5
STOP_BELOW_PEAK = 10**-2.5
PEAK_DECAY = 0.995  # for each chunk: about 1 dB a second
QUIETEST_SPEECH = 150.0**2  # about -47 dBFS: below it, nothing counts as speech
FIRST_SPEECH = 500.0**2  # until the noise is known
QUIETEST_NOISE = 20.0**2
LOUDEST_NOISE = 1000.0**2  # a louder first half second is speech
DIGITAL_SILENCE = 5.0**2  # from a microphone that is not on yet; it is not the room's noise
# The noise is the quietest moment of the last 3 s. Speech has a pause in any such time; a fan does
# not.
BLOCK_CHUNKS = 25
BLOCKS = 6


class VoiceActivity:
    """Detects when speech seems to start and to stop.

    Args:
        start_ms: how much speech within the last 100 ms (or `start_ms`, if longer) is a start.
        stop_ms: how much quiet is a stop.

    Attributes:
        speaking: Whether speech has started and not stopped.
        level: How loud the newest chunk was: the mean square of its samples.
        loud: Whether that level is as far above the room's noise as speech is.
    """

    def __init__(self, *, start_ms: int = 60, stop_ms: int = 300) -> None:
        self._start_chunks = max(1, start_ms // CHUNK_MS)
        self._stop_chunks = max(1, stop_ms // CHUNK_MS)
        self._recent: deque[bool] = deque(maxlen=max(5, self._start_chunks))
        self._quiet_chunks = 0
        self._minima: deque[float] = deque(maxlen=BLOCKS)
        self._block: list[float] = []
        self._noise = QUIETEST_NOISE
        self._smooth = 0.0
        self._peak = 0.0
        self.speaking = False
        self.level = 0.0
        self.loud = False

    def feed(self, chunk: bytes) -> Literal["started", "stopped"] | None:
        """Takes the next 20 ms of sound.

        Args:
            chunk: s16le mono; 640 bytes at 16 kHz. A chunk of another length is measured too, and
                counts as 20 ms.

        Returns:
            "started" or "stopped" if `speaking` has just changed, else None.
        """
        level = 0.0
        if chunk != _SILENCE:  # as a microphone that is switched off has
            samples = np.frombuffer(chunk, "<i2").astype(np.float32)
            level = float(np.dot(samples, samples)) / max(1, samples.size)
        self._measure_noise(level)
        noise = self._noise
        quietest = QUIETEST_SPEECH if self._minima else FIRST_SPEECH
        self.level, self.loud = level, level > max(quietest, noise * START_ABOVE_NOISE)
        if self.speaking:
            self._peak = max(level, self._peak * PEAK_DECAY)
            goes_on = level > max(noise * STOP_ABOVE_NOISE, self._peak * STOP_BELOW_PEAK)
            self._quiet_chunks = 0 if goes_on else self._quiet_chunks + 1
            if self._quiet_chunks < self._stop_chunks:
                return None
            self.speaking = False
            self._recent.clear()
            return "stopped"
        self._recent.append(self.loud)
        if sum(self._recent) < self._start_chunks:
            return None
        self.speaking, self._quiet_chunks, self._peak = True, 0, level
        return "started"

    def cut_off(self) -> bool:
        """Ends any speech because no more audio comes; returns whether the caller was speaking."""
        was_speaking, self.speaking = self.speaking, False
        self._recent.clear()
        return was_speaking

    def _measure_noise(self, level: float) -> None:
        if level < DIGITAL_SILENCE:
            return
        # Smoothed over about three chunks: a single quiet chunk is not the room's noise.
        self._smooth = level if not self._smooth else self._smooth + 0.3 * (level - self._smooth)
        self._block.append(self._smooth)
        if len(self._block) == BLOCK_CHUNKS:
            self._minima.append(min(self._block))
            self._block.clear()
            self._noise = min(LOUDEST_NOISE, max(QUIETEST_NOISE, min(self._minima)))
