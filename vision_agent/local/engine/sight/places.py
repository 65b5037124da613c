"""Places in a frame, in words."""

from __future__ import annotations

from vision_agent.local.engine.sight.camera_frame import Box

LEFT = "on the left"
MIDDLE = "in the middle"
RIGHT = "on the right"
PLACES = (LEFT, MIDDLE, RIGHT)


def place(x_px: float, width_px: float) -> str:
    """The third of the frame in which a point lies, as the camera sees it (not mirrored).

    Args:
        x_px: Distance of the point from the left edge.
        width_px: Width of the frame.
    """
    return PLACES[min(2, max(0, int(3 * x_px / width_px)))]


def spot(box: Box) -> str:
    """The place of a box on both axes of the frame: "at the top on the left", "in the middle"."""
    across = place(box.x + box.width / 2, 1.0)
    down = min(2, max(0, int(3 * (box.y + box.height / 2))))
    if down == 1:
        return across
    upright = "at the top" if down == 0 else "at the bottom"
    return upright if across == MIDDLE else f"{upright}, {across}"
