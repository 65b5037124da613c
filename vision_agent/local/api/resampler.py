"""The caller's sound at any rate in, 16 kHz out: a windowed sinc, exact in its positions. Pure.

The public service says that it resamples whatever rate a blob's mime type names.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from vision_agent.local.contract import INPUT_RATE_HZ

RATES_HZ = (
    *(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200),
    96_000,
)
"""What is taken: the rates that sound cards and codecs have. Each shares a large divisor with
16 kHz, so that its table of filters is small; 44,101 Hz would need 16,000 filters."""

_ZEROS = 16
"""Zero crossings of the sinc on either side; with the window, -60 dB from 8.5 kHz on."""

_BLOCK = INPUT_RATE_HZ
"""Samples made in one step, so that a long message needs no more memory than a second of sound."""


class Resampler:
    """One stream of s16le mono sound; it lags a millisecond behind, for what comes next.

    Args:
        rate_hz: The rate of what comes in, one of `RATES_HZ`.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._numerator = rate_hz // math.gcd(rate_hz, INPUT_RATE_HZ)
        self._kernel = _kernel(rate_hz)
        phases, taps = self._kernel.shape
        self._reach = taps // 2
        self._offsets = np.arange(1 - self._reach, self._reach + 1)
        self._held = np.zeros(self._reach, np.float32)
        self._at = self._reach * phases
        """Where in ``_held`` the next sample lies, in parts of an incoming sample."""

    @property
    def rate_hz(self) -> int:
        """The rate of what comes in."""
        return self._rate_hz

    def resample(self, pcm: bytes) -> bytes:
        """Takes the next samples; returns what of the result is ready, s16le mono 16 kHz."""
        self._held = np.concatenate((self._held, np.frombuffer(pcm, "<i2").astype(np.float32)))
        made = bytearray()
        while len(block := self._block()):
            made += np.clip(np.rint(block), -32768, 32767).astype("<i2").tobytes()
        return bytes(made)

    def _block(self) -> npt.NDArray[np.float32]:
        phases = len(self._kernel)
        last = (len(self._held) - self._reach) * phases - 1
        count = min(_BLOCK, max(0, (last - self._at) // self._numerator + 1))
        parts = self._at + self._numerator * np.arange(count)
        whole, phase = np.divmod(parts, phases)
        block = np.einsum(
            "ij,ij->i", self._held[whole[:, None] + self._offsets], self._kernel[phase]
        )
        self._at += self._numerator * count
        done = self._at // phases - self._reach
        self._held = self._held[done:]
        self._at -= done * phases
        return np.asarray(block, np.float32)


@cache
def _kernel(rate_hz: int) -> npt.NDArray[np.float32]:
    """A filter for each position that a made sample can have between two incoming ones."""
    if rate_hz not in RATES_HZ:
        raise ValueError(f"{rate_hz} Hz is not taken")
    phases = INPUT_RATE_HZ // math.gcd(rate_hz, INPUT_RATE_HZ)
    stretch = max(1.0, rate_hz / INPUT_RATE_HZ)
    reach = math.ceil(_ZEROS * stretch)
    offsets = np.arange(1 - reach, reach + 1)
    distance = offsets[None, :] - np.arange(phases)[:, None] / phases
    kernel = np.sinc(0.95 * distance / stretch) * np.cos(
        np.pi * np.clip(distance / reach, -1.0, 1.0) / 2
    )
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True), np.float32)
