"""Divides long speech into windows that fit Whisper. Pure."""

from __future__ import annotations

import numpy as np

from vision_agent.local.engine.hearing.log_mel import RATE_HZ
from vision_agent.local.engine.hearing.whisper import WINDOW_S

_STEP = RATE_HZ // 50  # 20 ms
_GAP = 8  # steps: 160 ms of quiet is a pause between words


def first_window(pcm: bytes | bytearray) -> int | None:
    """The end of the first window in bytes; None as long as everything fits into one.

    It ends in the quietest place of its second half. It depends only on the window's own sound,
    so that the same speech gives the same windows, however it arrives.

    Args:
        pcm: s16le mono 16 kHz.
    """
    window = WINDOW_S * RATE_HZ
    if len(pcm) <= 2 * window:
        return None
    samples = np.frombuffer(pcm[: 2 * window], "<i2").astype(np.float32)
    levels = np.square(samples.reshape(-1, _STEP)).mean(axis=1)
    around = np.convolve(levels, np.ones(_GAP), mode="valid")
    half = len(levels) // 2
    quietest = half + int(np.argmin(around[half:])) + _GAP // 2
    return 2 * quietest * _STEP
