"""Where in the picture something is, in words."""

from __future__ import annotations

LEFT = "on the left"
MIDDLE = "in the middle"
RIGHT = "on the right"
PLACES = (LEFT, MIDDLE, RIGHT)


def place(x_px: float, width_px: float) -> str:
    """The third of the picture in which a point is, as the camera sees it (not mirrored).

    Args:
        x_px: Distance of the point from the left edge.
        width_px: Width of the picture.
    """
    return PLACES[min(2, max(0, int(3 * x_px / width_px)))]
