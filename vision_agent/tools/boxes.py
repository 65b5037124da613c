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
    """That is no box; the text says what one looks like."""


def check_box(box: Sequence[float]) -> tuple[int, int, int, int]:
    """The box, inside the picture and the right way round.

    Raises:
        BadBox: It is none.
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
    """The part of a picture that a box means, with something around it.

    Args:
        box: A checked one.
        width: of the picture, pixels.
        height: of the picture, pixels.
        margin: added on each side, as a share of the box's.

    Returns:
        Top, left, bottom and right, in pixels; at least 16 by 16, and inside the picture.
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
