"""What is white in a scene: a lamp's or a camera's cast, and its brightness, taken off.

An eye takes the lightest nearly grey area for white and judges every other colour against it.
The nearly grey areas are asked, and not the average of everything (grey world): a large red thing
would make that average red.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.oklab import Floats, chroma, hue_deg, oklab

# How far from grey white may be, in Oklab chroma. Lamps and daylight are yellowish or bluish;
# what is as reddish or greenish is so by itself.
_WARM, _COOL, _OTHER = 0.060, 0.045, 0.020

NEUTRAL = 0.012
FAINT = 0.030
"""Chroma of what is grey already: if there is enough of it, the light is white, and what is
further from grey than faintly so is a cream or pale blue wall."""

LEAST_SHARE = 0.04
"""Of the frame: a smaller nearly grey area is as likely a thing of its own colour."""

LIGHT_FROM = 0.5
CLIPPED = 0.985
"""Linear: with two channels at their limit a pixel no longer shows the cast."""

TRUST = 0.8
"""How much of the cast is taken off. Not all: a pale blue wall is no white wall."""

WHITE_AT_LEAST = 0.84
"""Oklab lightness: what is darker is not taken for white, even if nothing lighter is there."""


def balanced(rgb: Floats) -> tuple[Floats, bool]:
    """A frame's colours, judged against the frame's own white.

    Args:
        rgb: Linear red, green and blue, ``(n, 3)``.

    Returns:
        The colours in Oklab, ``(n, 3)``, and whether the frame shows what is white in it.
    """
    lab = oklab(rgb)
    usable = _nearly_grey(lab) & (lab[:, 0] > LIGHT_FROM)
    usable &= np.count_nonzero(rgb > CLIPPED, axis=1) < 2
    if np.count_nonzero(usable) < LEAST_SHARE * len(rgb):
        return lab, False
    lightest = usable & (lab[:, 0] >= np.percentile(lab[usable, 0], 60))
    white = np.median(rgb[lightest], axis=0)
    neutral = np.count_nonzero(usable & (chroma(lab) < NEUTRAL))
    if chroma(oklab(white)) < FAINT or neutral < LEAST_SHARE * len(rgb):
        lab = oklab(rgb * (white.mean() / white) ** TRUST)
    white_at = max(WHITE_AT_LEAST, float(np.percentile(lab[usable, 0], 95)))
    # Only grey and white are told apart by it: a red in the shade is a dark red, no pink.
    plainness = np.clip((0.07 - chroma(lab)) / 0.03, 0, 1)
    lightness = np.clip((lab[:, 0] - 0.3) / 0.3, 0, 1)  # and black stays black
    lab[:, 0] *= 1 + (1 / white_at - 1) * plainness * lightness
    return lab, True


def _nearly_grey(lab: Floats) -> npt.NDArray[np.bool_]:
    hue = hue_deg(lab)
    limit = np.full(hue.shape, _OTHER)
    limit[(hue > 60) & (hue < 112)] = _WARM
    limit[(hue > 205) & (hue < 275)] = _COOL
    return np.asarray(chroma(lab) < limit, np.bool_)
