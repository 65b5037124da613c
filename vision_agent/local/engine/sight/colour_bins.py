"""Colour histograms of parts of a frame, in Oklab."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.oklab import Floats

# Fine enough to keep the pale blue of glass apart from the grey of a wall. Noise and shading stay
# within a bin and its neighbours, which are counted together.
_BINS = (18, 48, 48)
BIN_COUNT = 18 * 48 * 48

_LOW = np.array([0.0, -0.35, -0.35])
_HIGH = np.array([1.0, 0.35, 0.35])

Bins = npt.NDArray[np.int64]


def bins_of(lab: Floats) -> Bins:
    """The bin index of each Oklab colour ``(..., 3)``."""
    bins = np.zeros(lab.shape[:-1], np.int64)
    for axis, count in enumerate(_BINS):
        at = lab[..., axis] - _LOW[axis]
        at /= _HIGH[axis] - _LOW[axis]
        at *= count
        np.clip(at, 0, count - 1, out=at)
        bins *= count
        bins += at.astype(np.int64)
    return bins


def shares(bins: Bins, weights: Floats | None = None) -> Floats:
    """The share of the pixels in each bin and its neighbours on all three axes.

    Args:
        bins: The pixels' bins, ``(n,)``.
        weights: The weight of each pixel, ``(n,)``.

    Returns:
        The share of every bin, 0 to 1.
    """
    counts = np.bincount(bins, weights=weights, minlength=int(np.prod(_BINS))).astype(np.float64)
    padded = np.pad(counts.reshape(_BINS) / max(counts.sum(), 1e-9), 1)
    for axis in range(3):
        count = padded.shape[axis]
        parts = [np.take(padded, range(k, count - 2 + k), axis=axis) for k in range(3)]
        padded = parts[0] + parts[1] + parts[2]
    return np.asarray(padded.ravel(), np.float64)
