"""Sounds made of samples: int16, mono."""

import numpy as np


def tone(ms: int, hz: float = 300, rate_hz: int = 48_000, level: float = 8000) -> np.ndarray:
    count = rate_hz * ms // 1000
    return (np.sin(2 * np.pi * hz * np.arange(count) / rate_hz) * level).astype(np.int16)


def silence(ms: int, rate_hz: int = 48_000) -> np.ndarray:
    return np.zeros(rate_hz * ms // 1000, np.int16)


def loud(count: int) -> np.ndarray:
    """Samples of the constant 5000, which nothing takes for silence."""
    return np.full(count, 5000, np.int16)
