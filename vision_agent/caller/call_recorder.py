"""Both sides of a call in one stereo WAV: caller left, agent right, aligned to the call's time."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples

# Frames of a steady stream arrive a few ms early or late; only a real gap becomes silence.
_JITTER_SAMPLES = SOUND_RATE_HZ // 10
# A side that lags this far behind is padded with silence, which bounds the buffered sound.
_LAG_SAMPLES = SOUND_RATE_HZ


class CallRecorder:
    """Writes both sides as they arrive; `close` makes the file playable.

    Args:
        path: The WAV file.

    Raises:
        OSError: The file can't be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed in `close`
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(SOUND_RATE_HZ)
        self._sides = (_Side(), _Side())
        self._written = 0

    def caller(self, samples: Samples, at_ms: int) -> None:
        """Take a frame of the caller's; `at_ms` is when its last sample was sent."""
        self._take(0, samples, at_ms)

    def agent(self, samples: Samples, at_ms: int) -> None:
        """Take a frame of the agent's; `at_ms` is when it arrived."""
        self._take(1, samples, at_ms)

    def close(self) -> None:
        """Write what is still buffered and finish the file."""
        self._write(max(side.end for side in self._sides))
        self._file.close()

    def _take(self, index: int, samples: Samples, at_ms: int) -> None:
        side, other = self._sides[index], self._sides[1 - index]
        starts_at = at_ms * SOUND_RATE_HZ // 1000 - len(samples)
        if starts_at - side.end > _JITTER_SAMPLES:
            side.silence(starts_at - side.end)
        side.add(samples)
        if side.end - other.end > _LAG_SAMPLES:
            other.silence(side.end - other.end - _LAG_SAMPLES)
        self._write(min(each.end for each in self._sides))

    def _write(self, end: int) -> None:
        count = end - self._written
        if count <= 0:
            return
        both = np.stack([side.take(count) for side in self._sides], axis=1)
        self._file.writeframes(both.astype("<i2").tobytes())
        self._written = end


class _Side:
    """One side's sound that waits for the other's; `end` counts samples from the call's start."""

    def __init__(self) -> None:
        self.end = 0
        self._waiting: list[Samples] = []

    def add(self, samples: Samples) -> None:
        self._waiting.append(samples)
        self.end += len(samples)

    def silence(self, count: int) -> None:
        self.add(np.zeros(count, np.int16))

    def take(self, count: int) -> Samples:
        whole = np.concatenate([*self._waiting, np.zeros(0, np.int16)])
        self._waiting = [whole[count:]] if len(whole) > count else []
        taken = whole[:count]
        return np.pad(taken, (0, count - len(taken)))
