"""Rectangles in a frame, as shares of its sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""BGR, ``(height, width, 3)``."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a frame, as shares of the frame's sides, from the top left."""

    x: float
    y: float
    width: float
    height: float


def clipped(left: float, top: float, right: float, bottom: float) -> Box:
    """The part of a rectangle that lies within the frame."""
    left, top, right, bottom = (min(1.0, max(0.0, edge)) for edge in (left, top, right, bottom))
    return Box(left, top, right - left, bottom - top)


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    shared = shared_area(first, second)
    both = first.width * first.height + second.width * second.height - shared
    return shared / max(both, 1e-9)


def shared_area(first: Box, second: Box) -> float:
    """The area that two boxes have in common, as a share of the frame."""
    across = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    down = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    return max(0.0, across) * max(0.0, down)
