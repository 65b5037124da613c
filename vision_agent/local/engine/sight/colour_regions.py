"""The areas of a frame that have a given colour."""

from __future__ import annotations

import cv2
import numpy as np

from vision_agent.local.engine.sight.colour_names import NAMES, names_of
from vision_agent.local.engine.sight.foreground import View, split
from vision_agent.local.engine.sight.observations import Spot

EVERYWHERE_FROM = 0.5
"""Share of the frame from which on a colour is the background's and has no place of its own."""


def coloured(view: View, colour: str) -> tuple[Spot, ...]:
    """The areas of a frame that have a colour, largest first.

    Args:
        view: The frame.
        colour: One of the eleven basic names.

    Returns:
        The areas. Empty if the colour is absent, and also if it fills the frame: in neither case is
        there an area to point at.
    """
    names = names_of(view.lab, white_known=view.white_known)
    mask = np.asarray(names == NAMES.index(colour), np.uint8)
    if mask.mean() > EVERYWHERE_FROM:
        return ()
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3)))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5)))
    parts = split(view, np.asarray(closed, np.bool_))
    return tuple(Spot(colour, part.box) for part in parts)
