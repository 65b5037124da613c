"""The colour of what a box holds."""

from __future__ import annotations

import numpy as np

from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.colour_names import base_name
from vision_agent.local.engine.sight.colours import two_most_common
from vision_agent.local.engine.sight.foreground import View

INNER = 0.6
"""Share of a box's sides in which its thing lies; the corners belong to what is behind it."""

AROUND = 0.15
"""Width of the ring around a box that shows what is behind, as a share of the box's sides."""

BEHIND_FROM = 0.08
"""Least share of the ring that a colour of the background covers."""

FEWEST = 0.25
"""Least share of the inner part that is no background; otherwise the thing has its colours."""

CLOSE = 0.7
"""Share of the votes for the first colour from which on the second is named too."""

SHADED = 0.3
"""The same for red beside brown: where red lies in the shade, most of it is called brown."""


def colour_in(view: View, box: Box) -> str:
    """The colour of the thing in a box: one of the eleven names, perhaps "light" or "dark".

    If two names are about equally good, it is both: "brown or orange". The colours of the ring
    around the box are left out: a bicycle is not as grey as the street.
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
    return _either(*two_most_common(lab, np.ones(len(lab)), white_known=view.white_known))


def _either(first: tuple[str, float], second: tuple[str, float]) -> str:
    """The first name, or both if the second has nearly as many votes: "brown or orange"."""
    (name, votes), (other, fewer) = first, second
    shaded = base_name(name) == "brown" and base_name(other) == "red"
    if fewer < (SHADED if shaded else CLOSE) * votes or not fewer:
        return name
    if shaded:
        name, other = other, name
    both_dark = name.startswith("dark ") and other.startswith("dark ")
    return f"{name} or {base_name(other) if both_dark else other}"


def _part(box: Box, height: int, width: int, share: float) -> tuple[slice, slice]:
    """The rows and columns of a box that is enlarged or shrunk around its middle."""
    return (
        _span(box.y + box.height / 2, box.height * share, height),
        _span(box.x + box.width / 2, box.width * share, width),
    )


def _span(middle: float, length: float, limit: int) -> slice:
    start = min(limit - 1, max(0, round((middle - length / 2) * limit)))
    return slice(start, max(start + 1, min(limit, round((middle + length / 2) * limit))))
