"""Whether a frame is good enough to be analysed."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Pixels, grey
from vision_agent.local.engine.sight.observations import Quality

DARK_LEVEL = 45
"""Level of 255. A frame whose brighter parts (95th percentile) are darker is too dark."""

BRIGHT_LEVEL = 250
WASHED_OUT_LEVEL = 110
"""Least level of the darkest parts of a frame of which half is at the sensor's limit: such a frame
is too bright."""

EVEN_LEVELS = 16
"""Levels of 255. An even area varies by less, apart from noise and slow shading."""

SHARPNESS_AT_PX = 480
SHARP_EDGE = 0.016
"""Variance of the Laplacian divided by the variance, of the sharpest parts with enough contrast."""

MOST_NOISE = 10.0
"""Largest variance of the Laplacian that counts as noise, if even the plainest parts reach it."""

MIN_CONTRAST = 10.0
"""Standard deviation, in levels of 255, below which a part has no edge to judge."""


def judge(pixels: Pixels) -> Quality:
    """Judges a BGR frame."""
    plain = grey(pixels)
    empty = _is_even(pixels)
    return Quality(
        too_dark=float(np.percentile(plain, 95)) < DARK_LEVEL,
        too_bright=float(np.percentile(plain, 50)) >= BRIGHT_LEVEL
        and float(np.percentile(plain, 0.05)) > WASHED_OUT_LEVEL,
        blurred=not empty and sharpness(plain) < SHARP_EDGE,
        empty=empty,
    )


def sharpness(plain: Pixels) -> float:
    """The sharpness of the sharpest edges of a grey frame.

    The variance of the Laplacian alone separates a detailed frame from a plain one rather than a
    sharp one from a blurred one. So it is computed for each part and divided by the part's own
    variance. The sharpest tenth of the parts with any contrast counts, so that a plain wall in the
    background does not make a frame blurred.

    Returns:
        About 0.04 to 0.4 for sharp frames, below 0.02 for blurred ones; 0 without any contrast.
    """
    height_px = round(plain.shape[0] * SHARPNESS_AT_PX / plain.shape[1])
    scaled = cv2.resize(plain, (SHARPNESS_AT_PX, max(32, height_px)), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(scaled, (0, 0), 0.8).astype(np.float32)  # otherwise noise looks sharp
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F, ksize=1)
    variance = _variance(smooth)
    judged = variance > MIN_CONTRAST**2
    if not judged.any():
        return 0.0
    roughness = _variance(laplacian)
    of_noise = min(MOST_NOISE, float(np.percentile(roughness, 20)))
    ratio = (roughness[judged] - of_noise) / variance[judged]
    return max(0.0, float(np.percentile(ratio, 90)))


def _variance(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """The variance in tiles of 32 by 32 pixels."""
    rows, columns = values.shape[0] // 32, values.shape[1] // 32
    tiles = values[: rows * 32, : columns * 32].reshape(rows, 32, columns, 32)
    return np.asarray(tiles.var(axis=(1, 3)), np.float32)


def _is_even(pixels: Pixels) -> bool:
    """Whether nothing stands out from a slow shading, in lightness or in colour."""
    small = cv2.resize(pixels, (48, 36), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float64).reshape(-1, 3)
    shading = _slow_shading()
    left_over = lab - shading @ (shading.T @ lab)
    low, high = np.percentile(left_over, (0.2, 99.8), axis=0)
    return bool(np.max(high - low) < EVEN_LEVELS)


@cache
def _slow_shading() -> npt.NDArray[np.float64]:
    """Orthonormal columns that span every shading of second degree."""
    y, x = np.mgrid[-1:1:36j, -1:1:48j].reshape(2, -1)
    of_degree_two = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    return np.asarray(np.linalg.qr(of_degree_two)[0], np.float64)
