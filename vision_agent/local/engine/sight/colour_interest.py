"""Pixel weights for a frame with a face: shown or worn things count, hair and skin do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.oklab import Floats, chroma, hue_deg

OF_A_FACE = 0.1
OF_SKIN = 0.3
OF_CLOTHES = 0.25
"""Weight of a pixel of the clothes; other pixels have the weight 1."""

CLOTHES_FROM = 0.05
"""Share of the frame's bottom rows from which on a colour counts as a colour of the clothes."""


def interest(lab: Floats, faces: Sequence[Box]) -> Floats:
    """The weight of each pixel in a frame with faces.

    Clothes reach the bottom of the frame below a face; a thing held in front of them does not.

    Args:
        lab: The frame in Oklab, ``(height, width, 3)``.
        faces: The boxes of the faces; at least one.

    Returns:
        Weights from 0 to 1, ``(height, width)``.
    """
    height_px, width_px = lab.shape[:2]
    saturation, hue = chroma(lab), hue_deg(lab)
    skin = (hue > 25) & (hue < 75) & (saturation > 0.025) & (saturation < 0.14)
    bins = bins_of(lab)
    clothes = shares(bins[-max(2, height_px // 20) :].ravel())[bins] >= CLOTHES_FROM
    counts = np.where(clothes, OF_CLOTHES, 1.0)
    counts[skin] = OF_SKIN
    for face in faces:
        # The detector's box ends at the brow; hair is above and beside it.
        top, middle = face.y - 0.45 * face.height, face.y + 0.5 * face.height
        left, right = face.x - 0.15 * face.width, face.x + 1.15 * face.width
        columns = slice(max(0, round(left * width_px)), max(0, round(right * width_px)))
        upper = slice(max(0, round(top * height_px)), max(0, round(middle * height_px)))
        counts[upper, columns] = OF_A_FACE
        # A thing may be held in front of the chin.
        lower = slice(upper.stop, max(0, round((middle + 0.6 * face.height) * height_px)))
        counts[lower, columns][skin[lower, columns]] = OF_A_FACE
    return np.asarray(counts, np.float64)
