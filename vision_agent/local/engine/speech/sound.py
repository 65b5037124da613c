"""Turns a synthesiser's samples into the engine's voice: level, silence, pieces. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision_agent.local.contract import OUTPUT_RATE_HZ

PIECE_SAMPLES = OUTPUT_RATE_HZ // 10

# -19.6 dBFS RMS while there is sound, the loudness of a call.
_TARGET_RMS = 10 ** (-19.6 / 20)
_WINDOW_SAMPLES = OUTPUT_RATE_HZ // 100
# Sound below this fraction of the peak is a pause.
_PAUSE = 0.02
_LEAST_PEAK = 10 ** (-5.5 / 20)
# Above the knee, samples are compressed towards the ceiling of -3 dBFS, which they never reach.
_KNEE = 10 ** (-5 / 20)
_CEILING = 10 ** (-3 / 20)

_SILENT = 10 ** (-50 / 20)
_LEAD_SAMPLES = OUTPUT_RATE_HZ // 100

Floats = NDArray[np.float32]


def gain_for(pieces: Sequence[Floats]) -> float:
    """Returns the factor for a speaker's samples (full scale 1.0) that gives the target loudness.

    Args:
        pieces: A sentence as the synthesiser returns it.
    """
    level = np.concatenate((np.zeros(_WINDOW_SAMPLES, np.float32), *pieces))
    peak = float(np.abs(level).max())
    if peak < _SILENT:
        return 1.0
    windows = level[: len(level) // _WINDOW_SAMPLES * _WINDOW_SAMPLES].reshape(-1, _WINDOW_SAMPLES)
    power = np.mean(windows**2, axis=1)
    rms = float(np.sqrt(np.mean(power[power > (_PAUSE * peak) ** 2])))
    return max(_TARGET_RMS / rms, _LEAST_PEAK / peak)


def limit(level: Floats) -> Floats:
    """Compresses samples above the knee so that none exceeds -3 dBFS; the rest is unchanged."""
    over = np.abs(level) - _KNEE
    loud = over > 0
    if not loud.any():
        return level
    room = _CEILING - _KNEE
    bent = np.sign(level) * (_KNEE + room * np.tanh(over / room))
    return np.where(loud, bent, level).astype(np.float32)


class SentenceSound:
    """One sentence on its way from the synthesiser to the caller.

    Leading silence is dropped except for 10 ms. Trailing silence is cut or extended to
    ``pause_ms``. A sentence without any sound has no pieces.
    """

    def __init__(self, gain: float, pause_ms: int) -> None:
        self._gain = np.float32(gain)
        self._pause_samples = pause_ms * OUTPUT_RATE_HZ // 1000
        self._heard = False
        self._silence: Floats = np.zeros(0, np.float32)  # may be the trailing silence
        self._waiting: Floats = np.zeros(0, np.float32)  # less than a piece

    def feed(self, samples: Floats) -> list[bytes]:
        """Takes samples at 24 kHz; returns the 100 ms pieces that they complete."""
        return self._pieces(self._untrimmed(limit(samples * self._gain)))

    def finish(self) -> list[bytes]:
        """Returns the remaining pieces; the last one may be shorter than 100 ms."""
        if not self._heard:
            return []
        pause = np.zeros(self._pause_samples, np.float32)
        tail = self._silence[: self._pause_samples]
        pause[: len(tail)] = tail
        pieces = self._pieces(pause)
        if len(self._waiting):
            pieces.append(_pcm(self._waiting))
        return pieces

    def _untrimmed(self, level: Floats) -> Floats:
        """Returns the samples that are neither leading nor possibly trailing silence."""
        level = np.concatenate((self._silence, level))
        voiced = np.flatnonzero(np.abs(level) >= _SILENT)
        if not len(voiced):
            self._silence = level if self._heard else level[-_LEAD_SAMPLES:]
            return np.zeros(0, np.float32)
        first = 0 if self._heard else max(0, int(voiced[0]) - _LEAD_SAMPLES)
        end = int(voiced[-1]) + 1
        self._heard = True
        self._silence = level[end:]
        return level[first:end]

    def _pieces(self, level: Floats) -> list[bytes]:
        level = np.concatenate((self._waiting, level))
        whole = len(level) - len(level) % PIECE_SAMPLES
        self._waiting = level[whole:]
        return [
            _pcm(level[start : start + PIECE_SAMPLES]) for start in range(0, whole, PIECE_SAMPLES)
        ]


def _pcm(level: Floats) -> bytes:
    return np.rint(level * 32767).astype("<i2").tobytes()
