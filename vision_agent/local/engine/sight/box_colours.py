"""The colour of the thing in a box."""

from __future__ import annotations

import numpy as np

from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.colours import clear_colour
from vision_agent.local.engine.sight.foreground import View

INNER = 0.6
"""Share of a box's sides that its thing is assumed to fill; the corners show the background."""

AROUND = 0.15
"""Width of the ring around a box that shows the background, as a share of the box's sides."""

BEHIND_FROM = 0.08
"""Least share of the ring that a colour of the background covers."""

FEWEST = 0.25
"""Least share of the inner part that differs from the background. If less differs, the thing has
the background's colours, and they are not left out."""


def colour_in(view: View, box: Box) -> str:
    """The colour of the thing in a box, as `clear_colour` names it; empty if there is no clear one.

    The colours of the ring around the box are left out, so that a bicycle is not as grey as the
    street.
    """
    height, width = view.bins.shape
    inner = _part(box, height, width, INNER)
    lab = view.lab[inner].reshape(-1, 3)
    outer = np.zeros((height, width), np.bool_)
    outer[_part(box, height, width, 1 + 2 * AROUND)] = True
    outer[_part(box, height, width, 1.0)] = False
    if outer.any():
        behind = np.asarray(shares(view.bins[outer])) >= BEHIND_FROM
        apart = lab[~behind[bins_of(lab)]]
        lab = apart if len(apart) >= FEWEST * len(lab) else lab
    return clear_colour(lab, np.ones(len(lab)), white_known=view.white_known)


def _part(box: Box, height: int, width: int, share: float) -> tuple[slice, slice]:
    """The rows and columns of a box that is enlarged or shrunk around its middle."""
    return (
        _span(box.y + box.height / 2, box.height * share, height),
        _span(box.x + box.width / 2, box.width * share, width),
    )


def _span(middle: float, length: float, limit: int) -> slice:
    start = min(limit - 1, max(0, round((middle - length / 2) * limit)))
    return slice(start, max(start + 1, min(limit, round((middle + length / 2) * limit))))
