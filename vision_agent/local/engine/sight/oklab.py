"""The perceptual colour space Oklab (Björn Ottosson, 2020).

Its lightness, chroma and hue are nearly independent, and its blue keeps one hue from dark to light,
unlike CIELAB's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Pixels

Floats = npt.NDArray[np.float64]

_LEVELS = np.arange(256) / 255
# IEC 61966-2-1 (sRGB), for every 8-bit level.
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)

_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(pixels: Pixels) -> Floats:
    """Linear red, green and blue, 0 to 1, of BGR pixels ``(..., 3)``."""
    return np.asarray(_LINEAR[pixels[..., ::-1]], np.float64)


def oklab(rgb: Floats) -> Floats:
    """Lightness (0 to 1), a and b of linear RGB ``(..., 3)``."""
    lms = rgb @ _LMS.T
    # In place: fresh memory of a frame's size costs more than the arithmetic.
    np.cbrt(lms, out=lms)
    return np.asarray(lms @ _LAB.T, np.float64)


def chroma(lab: Floats) -> Floats:
    """Distance of Oklab colours ``(..., 3)`` from grey: up to 0.32 for sRGB colours."""
    # Colours are neither huge nor tiny, for which `hypot` takes three times as long.
    squared = np.square(lab[..., 1])
    squared += np.square(lab[..., 2])
    return np.asarray(np.sqrt(squared), np.float64)


def hue_deg(lab: Floats) -> Floats:
    """Hue of Oklab colours ``(..., 3)``, 0 to 360: red 29, yellow 110, green 142, blue 264."""
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360, np.float64)
