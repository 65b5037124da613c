"""Aligns an earlier frame with a newer one, because no camera is ever completely still."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Pixels

Grey = npt.NDArray[np.float32]

MAX_SHIFT = 0.05
"""Largest shift that is aligned, as a share of the width. A larger one means that a thing moved or
that the camera was turned."""

MAX_TURN_DEG = 3.0

_ENOUGH = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)


def align(earlier: Pixels, newer: Pixels) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """The earlier BGR frame as the camera would have seen it from its later position.

    There are three guesses: the camera did not move, it shifted, or it shifted and turned a little.
    The guess under which the fewest edges of the two frames differ is taken, so that a thing that
    moved does not shift the whole frame.

    Args:
        earlier: BGR, ``(height, width, 3)``.
        newer: BGR, the same shape.

    Returns:
        The earlier frame, moved, and the area ``(height, width)`` that it covers.
    """
    height_px, width_px = newer.shape[:2]
    old, new = _edges(earlier), _edges(newer)
    still = np.eye(2, 3, dtype=np.float32)
    guesses = [still]
    shift = _shift(old, new)
    if np.hypot(*shift) <= MAX_SHIFT * width_px:
        shifted = still.copy()
        shifted[:, 2] = shift
        guesses.append(shifted)
    best = min(guesses, key=lambda guess: _misfit(old, new, guess))
    turned = _turn(old, new, best)
    if turned is not None and _misfit(old, new, turned) < _misfit(old, new, best):
        best = turned
    size = (width_px, height_px)
    moved = cv2.warpAffine(earlier, best, size, borderMode=cv2.BORDER_REPLICATE)
    ones = np.full((height_px, width_px), 255, np.uint8)
    covered = cv2.warpAffine(ones, best, size, flags=cv2.INTER_NEAREST) > 0
    return np.asarray(moved, np.uint8), np.asarray(covered, np.bool_)


def _edges(pixels: Pixels) -> Grey:
    """Edge strength divided by local brightness, which a change of exposure does not affect."""
    plain = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)
    light = plain.astype(np.float32) + 16
    across = cv2.Sobel(np.log(light), cv2.CV_32F, 1, 0)
    down = cv2.Sobel(np.log(light), cv2.CV_32F, 0, 1)
    return np.asarray(np.minimum(cv2.magnitude(across, down), 1.0), np.float32)


def _shift(old: Grey, new: Grey) -> npt.NDArray[np.float64]:
    window = cv2.createHanningWindow((old.shape[1], old.shape[0]), cv2.CV_32F)
    (x_px, y_px), _ = cv2.phaseCorrelate(old, new, window)
    return np.array([x_px, y_px])


def _turn(old: Grey, new: Grey, start: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """Shift and rotation by ECC (Evangelidis and Psarakis, 2008); None if ECC finds none."""
    # ECC's result maps points of the newer frame to the earlier one: the inverse of ours.
    inverse = np.asarray(cv2.invertAffineTransform(start), np.float32)
    try:
        _, found = cv2.findTransformECC(new, old, inverse, cv2.MOTION_EUCLIDEAN, _ENOUGH)
    except cv2.error:  # no convergence: too little in common, or too few edges
        return None
    turned = np.asarray(cv2.invertAffineTransform(found), np.float32)
    angle_deg = abs(np.degrees(np.arctan2(turned[1, 0], turned[0, 0])))
    centre = np.array([old.shape[1] / 2, old.shape[0] / 2, 1.0])
    shift_px = np.hypot(*(turned @ centre - centre[:2]))
    if angle_deg > MAX_TURN_DEG or shift_px > MAX_SHIFT * old.shape[1]:
        return None
    return turned


def _misfit(old: Grey, new: Grey, guess: npt.NDArray[np.float32]) -> float:
    """How many edges do not coincide, with little regard to their strength."""
    size = (new.shape[1], new.shape[0])
    moved = cv2.warpAffine(old, guess, size, borderMode=cv2.BORDER_REPLICATE)
    return float(np.sqrt(np.abs(moved - new)).mean())
