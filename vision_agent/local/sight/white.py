"""What is white in a scene: a lamp's or a camera's cast, and its brightness, taken off.

An eye takes the lightest nearly grey area for white and judges every other colour against it.
The nearly grey areas are asked, and not the average of everything (grey world): a large red thing
would make that average red.
"""

from __future__ import annotations

import numpy as np

from vision_agent.local.sight.oklab import Floats, chroma, oklab

NEARLY_GREY = 0.06
"""Oklab chroma; a warm lamp's white stays below."""

LEAST_SHARE = 0.04
"""Of the picture: a smaller nearly grey area is as likely a thing of its own colour."""

CLIPPED = 0.985
"""Linear: a channel at its limit no longer shows the cast."""

TRUST = 0.8
"""How much of the cast is taken off. Not all: a pale blue wall is no white wall."""

WHITE_AT_LEAST = 0.80
"""Oklab lightness: what is darker is not taken for white, even if nothing lighter is there."""


def balanced(rgb: Floats) -> tuple[Floats, bool]:
    """A picture's colours, judged against the picture's own white.

    Args:
        rgb: Linear red, green and blue, ``(n, 3)``.

    Returns:
        The colours in Oklab, ``(n, 3)``, and whether the picture shows what is white in it.
    """
    lab = oklab(rgb)
    lightness = lab[:, 0]
    usable = (chroma(lab) < NEARLY_GREY) & (lightness > 0.35) & (rgb.max(axis=1) < CLIPPED)
    known = bool(np.count_nonzero(usable) >= LEAST_SHARE * len(rgb))
    if known:
        lightest = usable & (lightness >= np.percentile(lightness[usable], 60))
        white = np.median(rgb[lightest], axis=0)
        lab = oklab(rgb * (white.mean() / white) ** TRUST)
    white_at = max(WHITE_AT_LEAST, float(np.percentile(lab[:, 0], 99)))
    lab[:, 0] = np.minimum(lab[:, 0] / min(1.0, white_at), 1.0)
    return lab, known
