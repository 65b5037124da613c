"""White balance: removes the colour cast of a lamp or a camera, and normalises the brightness.

The human eye takes the lightest nearly grey area for white and judges every other colour relative
to it. So only nearly grey areas decide here. The average of the frame (grey world) would be red in
front of a large red thing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.oklab import Floats, chroma, hue_deg, oklab

# How far from grey white may be, in Oklab chroma. Lamps and daylight have a yellowish or bluish
# cast; a thing that is as reddish or greenish has that colour itself.
_WARM, _COOL, _OTHER = 0.060, 0.045, 0.020

NEUTRAL = 0.012
FAINT = 0.030
"""Chroma up to which a cast is removed in any case. If there is enough grey in the frame, the light
is white, and a stronger cast is the colour of a cream or pale blue wall."""

LEAST_SHARE = 0.04
"""Share of the frame. A smaller nearly grey area may be a thing of that colour."""

LIGHT_FROM = 0.5
CLIPPED = 0.985
"""Linear level of a clipped channel. A pixel with two clipped channels no longer shows the cast."""

TRUST = 0.8
"""Share of the cast that is removed. Not all of it: a pale blue wall is not a white wall."""

WHITE_AT_LEAST = 0.84
"""Least Oklab lightness of white. A darker area is not taken for white, even if nothing lighter is
there."""


def balanced(rgb: Floats) -> tuple[Floats, bool]:
    """A frame's colours, relative to the frame's own white.

    Args:
        rgb: Linear red, green and blue, ``(n, 3)``.

    Returns:
        The colours in Oklab, ``(n, 3)``, and whether the frame shows what is white in it.
    """
    lab = oklab(rgb)
    saturation = chroma(lab)
    usable = _nearly_grey(lab, saturation)
    usable &= lab[:, 0] > LIGHT_FROM
    red, green, blue = (rgb > CLIPPED).T
    usable &= ~((red & green) | (red & blue) | (green & blue))
    if np.count_nonzero(usable) < LEAST_SHARE * len(rgb):
        return lab, False
    lightest = usable & (lab[:, 0] >= np.percentile(lab[usable, 0], 60))
    white = np.median(rgb[lightest], axis=0)
    neutral = np.count_nonzero(usable & (saturation < NEUTRAL))
    if chroma(oklab(white)) < FAINT or neutral < LEAST_SHARE * len(rgb):
        lab = oklab(rgb * (white.mean() / white) ** TRUST)
        saturation = chroma(lab)
    white_at = max(WHITE_AT_LEAST, float(np.percentile(lab[usable, 0], 95)))
    # Only nearly grey colours are made lighter: a red in the shade is dark red, not pink.
    plainness = np.clip((0.07 - saturation) / 0.03, 0, 1)
    lightness = np.clip((lab[:, 0] - 0.3) / 0.3, 0, 1)  # and black stays black
    lab[:, 0] *= 1 + (1 / white_at - 1) * plainness * lightness
    return lab, True


def _nearly_grey(lab: Floats, saturation: Floats) -> npt.NDArray[np.bool_]:
    found = np.asarray(saturation < _OTHER, np.bool_)
    # The hue decides only about these.
    more = np.flatnonzero(~found & (saturation < max(_WARM, _COOL)))
    hue = hue_deg(lab[more])
    limit = np.full(hue.shape, _OTHER)
    limit[(hue > 60) & (hue < 112)] = _WARM
    limit[(hue > 205) & (hue < 275)] = _COOL
    found[more] = saturation[more] < limit
    return found
