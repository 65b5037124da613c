"""Boxes as vision models write them: ``[ymin, xmin, ymax, xmax]``, each from 0 to 1000. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

SCALE = 1000

Box2d = Annotated[
    list[int],
    Field(
        description="[ymin, xmin, ymax, xmax], each from 0 to 1000, of the whole camera picture; "
        "the origin is the top left corner."
    ),
]


class BadBox(ValueError):
    """A value is not a box; the text says what a box looks like."""


def check_box(box: Sequence[float]) -> tuple[int, int, int, int]:
    """Clamps a box to the frame and orders its sides.

    Returns:
        Top, left, bottom and right, each from 0 to `SCALE`.

    Raises:
        BadBox: The value does not have four sides, has shares of 1, or is empty.
    """
    if len(box) != 4:
        raise BadBox(f"A box is [ymin, xmin, ymax, xmax], four numbers, not {len(box)}.")
    if all(0 <= side <= 1 for side in box) and any(0 < side < 1 for side in box):
        raise BadBox(f"A box's sides are from 0 to {SCALE}, not shares of 1.")
    y0, x0, y1, x1 = (min(SCALE, max(0, round(side))) for side in box)
    top, bottom, left, right = min(y0, y1), max(y0, y1), min(x0, x1), max(x0, x1)
    if bottom - top < 1 or right - left < 1:
        raise BadBox("The box is empty: ymin must be less than ymax, and xmin less than xmax.")
    return top, left, bottom, right


def in_pixels(
    box: tuple[int, int, int, int], width: int, height: int, *, margin: float
) -> tuple[int, int, int, int]:
    """Converts a box to the pixels of a frame, with a margin around it.

    Args:
        box: A box that `check_box` has returned.
        width: The frame's width in pixels.
        height: The frame's height in pixels.
        margin: The margin on each side, as a share of the box's height or width.

    Returns:
        Top, left, bottom and right, in pixels: inside the frame, and at least 16 by 16 if the frame
        is that large.
    """
    top, bottom = _span(box[0], box[2], height, margin)
    left, right = _span(box[1], box[3], width, margin)
    return top, left, bottom, right


def _span(low: int, high: int, length: int, margin: float) -> tuple[int, int]:
    around = margin * (high - low)
    start = round((low - around) * length / SCALE)
    end = round((high + around) * length / SCALE)
    lacking = max(0, 16 - (end - start))
    start, end = start - lacking // 2, end + (lacking + 1) // 2
    start = max(0, min(start, length - 16))
    return start, min(length, max(end, start + 16))
