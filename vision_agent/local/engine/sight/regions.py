"""The areas that differ between two frames, and whether something appeared or went away there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels
from vision_agent.local.engine.sight.colours import colour_of
from vision_agent.local.engine.sight.difference import Lab, Mask, smooth_lab
from vision_agent.local.engine.sight.oklab import Floats, linear
from vision_agent.local.engine.sight.white_balance import balanced

REGION_FROM = 0.004
"""Share of the frame. A smaller difference is not reported."""

PART_FROM = 0.2
"""Share of an area from which on a part of it is an area of its own. If a thing moved a little, the
place that it left and its new place form one area."""

STRANGER = 1.25
"""Least ratio of an area's difference from its surroundings in one frame to that in the other."""

APPEARED, WENT_AWAY, CHANGED = "appeared", "went away", "changed"


@dataclass(frozen=True, slots=True)
class Region:
    """An area that differs.

    Attributes:
        kind: ``APPEARED``, ``WENT_AWAY`` or ``CHANGED``.
        x_px: Horizontal position of its centre.
        y_px: Vertical position of its centre.
        area_px: Its size in pixels.
        colour: The name of its colour in the frame in which it stands out.
        lab: That colour.
        box: Its place.
    """

    kind: str
    x_px: float
    y_px: float
    area_px: int
    colour: str
    lab: Lab
    box: Box


def regions(different: Mask, old: Pixels, new: Pixels) -> list[Region]:
    """The areas that differ and are large enough, largest first.

    Args:
        different: The pixels that differ.
        old: The earlier frame, BGR, aligned with the newer one.
        new: The newer frame.
    """
    cleaned = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    joined = cv2.morphologyEx(cleaned, cv2.MORPH_CLOSE, np.ones((9, 9)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    least_px = REGION_FROM * different.size
    before, after = _Frame(old), _Frame(new)
    found = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < least_px:
            continue
        area = np.asarray(labels == label, np.bool_)
        for kind, mask in _kinds(area, before.lab, after.lab, least_px):
            found.append(_region(kind, mask, before if kind == WENT_AWAY else after))
    return sorted(found, key=lambda region: -region.area_px)


class _Frame:
    """A frame whose colours are found once for all areas, when the first one needs them."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    @cached_property
    def lab(self) -> Lab:
        return smooth_lab(self._pixels)

    @cached_property
    def colours(self) -> tuple[Floats, bool]:
        return balanced(linear(self._pixels).reshape(-1, 3))


def _region(kind: str, mask: Mask, shown: _Frame) -> Region:
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3))).astype(np.bool_)
    part = inside if inside.sum() > 20 else mask
    lab = np.median(shown.lab[part], axis=0)
    ys, xs = np.nonzero(mask)
    height_px, width_px = mask.shape
    box = Box(
        float(xs.min() / width_px),
        float(ys.min() / height_px),
        float((xs.max() + 1 - xs.min()) / width_px),
        float((ys.max() + 1 - ys.min()) / height_px),
    )
    area_px = int(mask.sum())
    colour = colour_of(shown.colours, part)
    return Region(kind, float(xs.mean()), float(ys.mean()), area_px, colour, lab, box)


def _kinds(area: Mask, before: Lab, after: Lab, least_px: float) -> list[tuple[str, Mask]]:
    """What happened in an area: two kinds if something appeared in one part and left another.

    A part that was like its surroundings before and is not now has appeared, and vice versa.
    """
    wide = cv2.dilate(area.astype(np.uint8), np.ones((15, 15))).astype(np.bool_)
    near = cv2.dilate(area.astype(np.uint8), np.ones((5, 5))).astype(np.bool_)
    ring = wide & ~near
    if ring.sum() < 20:
        return [(CHANGED, area)]
    was, now = (_strangeness(lab[area], lab[ring]) for lab in (before, after))
    parts = []
    for kind, more, less in ((APPEARED, now, was), (WENT_AWAY, was, now)):
        mask = np.zeros(area.shape, np.uint8)
        mask[area] = more > STRANGER * less
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5))), np.uint8)
        if mask.sum() >= max(least_px, PART_FROM * area.sum()):
            parts.append((kind, mask.astype(np.bool_)))
    if len(parts) == 2:
        return parts
    if float(now.mean()) > STRANGER * float(was.mean()):
        return [(APPEARED, area)]
    if float(was.mean()) > STRANGER * float(now.mean()):
        return [(WENT_AWAY, area)]
    return [(CHANGED, area)]


def _strangeness(inside: Lab, around: Lab) -> npt.NDArray[np.float32]:
    """The distance of each colour inside ``(n, 3)`` from the nearest colours around."""
    known = around[:: max(1, len(around) // 40)]
    distances = np.linalg.norm(inside[:, None, :] - known[None, :, :], axis=2)
    # The fourth nearest, so that single pixels of the thing itself in the ring do not count.
    return np.asarray(np.partition(distances, 3, axis=1)[:, 3] + 2.0, np.float32)
