"""The things in a frame: areas that stand out from the background.

There is no model of things, only of the background: its colours near each place and along the
frame's border. On a busy background no things can be found, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, fit
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.colour_names import name_of
from vision_agent.local.engine.sight.oklab import Floats, chroma, linear
from vision_agent.local.engine.sight.white_balance import balanced

Mask = npt.NDArray[np.bool_]

LOOK_AT_PX = 320
NEAR = 0.4
"""Width of the area whose median colour counts as the background at its centre, as a share of the
frame's width."""

FROM_BACKGROUND = 0.030
"""Distance from the background in Oklab. Lightness counts a fifth: a shadow is not a thing."""

BORDER = 0.05
BACKGROUND_FROM = 0.01
"""Least share of the border that a background colour covers."""

THING_FROM = 0.003
"""Share of the frame. A smaller area is a highlight or noise."""

THINNEST = 0.018
"""Share of the frame's width. A thinner area is the edge of a table, or a crack."""

BUSY_FROM = 0.6
"""Share of the frame. If more of it stands out, the background is too busy to find things."""

GAP = 0.08
"""Largest gap between parts of one thing, as a share of the side."""

SAME_COLOURS = 0.5
"""Overlap of two colour distributions from which on two areas have the same colours."""

MOST = 60
"""Most areas that are things; more of them are a texture."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An area that stands out.

    Attributes:
        box: Its place.
        area: Its share of the frame.
        colour: The name of its most common colour.
        at_edge: Whether the frame's border cuts it off.
        mask: The area, ``(height, width)``, at 320 px.
        colours: The share of each colour bin in it.
    """

    box: Box
    area: float
    colour: str
    at_edge: bool
    mask: Mask
    colours: Floats


@dataclass(frozen=True, slots=True)
class View:
    """A frame with its colours classified, once for every question about it.

    Attributes:
        lab: Oklab relative to the frame's white, ``(height, width, 3)``, 320 px wide at most.
        bins: The colour bin of each pixel.
        white_known: Whether the frame shows what is white in it.
    """

    lab: Floats
    bins: npt.NDArray[np.intp]
    white_known: bool

    @classmethod
    def of(cls, pixels: Pixels) -> View:
        """The view of a BGR frame, smoothed and shrunk."""
        small = np.asarray(cv2.medianBlur(fit(pixels, LOOK_AT_PX), 3), np.uint8)
        flat, white_known = balanced(linear(small).reshape(-1, 3))
        lab = flat.reshape(*small.shape[:2], 3)
        return cls(lab, np.asarray(bins_of(lab), np.intp), white_known)


def things(view: View, from_background: float = FROM_BACKGROUND) -> tuple[Thing, ...] | None:
    """The things in a frame, largest first; None if the background is too busy to find any.

    Args:
        view: The frame.
        from_background: How far a colour must be from the background's, in Oklab.
    """
    standing_out = _foreground(view, from_background)
    if standing_out.mean() > BUSY_FROM:
        return None
    found = split(view, standing_out)
    return None if len(found) > MOST else _joined(view, found)


def alike(first: Floats, second: Floats) -> float:
    """The overlap of two colour distributions (shares of bins and their neighbours), 0 to 1."""
    return float(np.minimum(first, second).sum() / max(1e-9, min(first.sum(), second.sum())))


def split(view: View, area: Mask) -> tuple[Thing, ...]:
    """The connected parts of an area that are large and thick enough to be things."""
    width_px = area.shape[1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(area.astype(np.uint8))
    found = []
    for label in range(1, count):
        share = float(stats[label, cv2.CC_STAT_AREA]) / area.size
        sides = stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT]
        if share < THING_FROM or min(sides) < THINNEST * width_px:
            continue
        mask = np.asarray(labels == label, np.bool_)
        # A picture frame or a thread has a large box and is thin nevertheless.
        if cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3).max() < 3:
            continue
        found.append(thing(view, mask))
    return tuple(sorted(found, key=lambda part: (-part.area, part.box.x)))


def thing(view: View, mask: Mask) -> Thing:
    """Describes an area as a thing."""
    height_px, width_px = mask.shape
    ys, xs = np.nonzero(mask)
    left, top, right, bottom = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    box = Box(
        float(left / width_px),
        float(top / height_px),
        float((right - left) / width_px),
        float((bottom - top) / height_px),
    )
    inside = view.lab[mask]
    saturation = chroma(inside)
    vivid = inside[saturation >= np.percentile(saturation, 40)]
    at_edge = bool(left < 2 or top < 2 or right > width_px - 2 or bottom > height_px - 2)
    return Thing(
        box,
        float(mask.mean()),
        name_of(np.median(vivid, axis=0), white_known=view.white_known),
        at_edge,
        mask,
        np.asarray(shares(view.bins[mask]), np.float64),
    )


def _joined(view: View, parts: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """Joins parts of different colours with hardly a gap: the two halves of a glass bottle.

    Parts of the same colours stay separate: two balls, one above the other.
    """
    left = list(parts)
    whole: list[Thing] = []
    while left:
        part = left.pop(0)
        other = next((o for o in left if _belong_together(part, o)), None)
        if other is None:
            whole.append(part)
            continue
        left.remove(other)
        left.insert(0, thing(view, part.mask | other.mask))
    return tuple(sorted(whole, key=lambda part: (-part.area, part.box.x)))


def _belong_together(first: Thing, second: Thing) -> bool:
    if alike(first.colours, second.colours) > SAME_COLOURS and first.area < 2.5 * second.area:
        return False
    a, b = first.box, second.box
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    beside = down > 0.6 * min(a.height, b.height) and across > -GAP
    above = across > 0.6 * min(a.width, b.width) and down > -GAP
    return above or beside


def _foreground(view: View, from_background: float) -> Mask:
    """The pixels whose colour is neither that of their surroundings nor one of the border."""
    width_px = view.bins.shape[1]
    border = np.ones(view.bins.shape, np.bool_)
    rim = max(2, round(BORDER * width_px))
    border[rim:-rim, rim:-rim] = False
    of_border = np.asarray(shares(view.bins[border]))
    known = of_border >= BACKGROUND_FROM
    behind = _behind(view.lab, round(NEAR * width_px) | 1)
    apart = view.lab - behind
    distance = np.hypot(np.hypot(apart[..., 1], apart[..., 2]), apart[..., 0] / 5)
    # Within a large thing the median is the thing's own colour, not the background's.
    can_tell = known[bins_of(behind)]
    mask = ((distance > from_background) & can_tell) | ~known[view.bins]
    cleaned = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    joined = cv2.morphologyEx(cleaned, cv2.MORPH_CLOSE, np.ones((7, 7)))
    return np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((5, 5))), np.bool_)


def _behind(lab: Floats, side_px: int) -> Floats:
    """The median colour around each pixel."""
    levels = np.clip(lab * (255, 320, 320) + (0, 128, 128), 0, 255).astype(np.uint8)
    side_px = min(side_px, 2 * (min(lab.shape[:2]) // 2) - 1, 255)
    median = [cv2.medianBlur(np.ascontiguousarray(levels[..., i]), side_px) for i in range(3)]
    around = (np.stack(median, axis=-1).astype(np.float64) - (0, 128, 128)) / (255, 320, 320)
    return np.asarray(around, np.float64)
