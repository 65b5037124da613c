"""Whether something moves: compares the newest frame with the frames just before it.

Frames arrive about once a second, so a moving thing is seen at two places and never in between. A
direction is given only if the same thing is found at both places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.align import align
from vision_agent.local.engine.sight.camera_frame import Pixels, decode
from vision_agent.local.engine.sight.difference import differs, same_light
from vision_agent.local.engine.sight.observations import Movement
from vision_agent.local.engine.sight.places import place
from vision_agent.local.engine.sight.regions import WENT_AWAY, Region, regions

RECENT_MS = 2_500
"""Age up to which a movement counts as one; an older one is a change."""

STANDS_FOR_MS = 12_000
"""Longest time without a frame during which the scene counts as unchanged."""

MOST_PAIRS = 2

APART_MS = 400
"""Least time between compared frames: closer ones look the same. While somebody speaks, frames
arrive at shorter intervals."""

LOOK_AT_PX = 320

SHIFTED = 0.03
"""Least shift of a movement, as a share of the width."""

FOUND = 0.72
"""Least normalised correlation for a piece of one frame to be found in another."""

CAMERA_FROM = 0.02
"""Least share of the frame that a shift leaves uncovered for the camera to have moved."""

EVERYTHING_FROM = 0.5


def movement(frames: Sequence[SeenFrame], newest: Pixels) -> Movement:
    """What moves in the newest frame.

    Args:
        frames: Oldest first, the newest last.
        newest: The newest frame, decoded.
    """
    chosen = _recent(frames)
    if not chosen:
        return Movement(False, False, (), "", "", 0.0)
    compared = [_small(newest), *(_small(decode(frame.jpeg)) for frame in chosen)]
    times_ms = [frames[-1].at_ms, *(frame.at_ms for frame in chosen)]
    seen = Movement(False, False, (), "", "", 0.0)
    for index in range(len(chosen)):
        over_s = (times_ms[0] - times_ms[index + 1]) / 1000
        seen = between(compared[index + 1], compared[index], over_s)
        if seen.moving:
            lasting = bool(seen.way)
            if not index and len(chosen) > 1 and not lasting:
                earlier_s = (times_ms[1] - times_ms[2]) / 1000
                lasting = between(compared[2], compared[1], earlier_s).moving
            return replace(seen, just_before=index > 0, lasting=lasting)
    return seen


def _recent(frames: Sequence[SeenFrame]) -> list[SeenFrame]:
    """The frames to compare with, newest first, far enough apart for something to have moved."""
    at_ms = frames[-1].at_ms
    oldest_ms = at_ms - RECENT_MS
    chosen: list[SeenFrame] = []
    for frame in reversed(frames[:-1]):
        if frame.at_ms < oldest_ms or len(chosen) == MOST_PAIRS:
            break
        if at_ms - frame.at_ms >= APART_MS:
            chosen.append(frame)
            at_ms = frame.at_ms
    if not chosen:
        # Frames that show nothing new are not sent: the last one sent stands for them.
        before = [f for f in frames[:-1] if APART_MS <= frames[-1].at_ms - f.at_ms <= STANDS_FOR_MS]
        chosen = before[-1:]
    return chosen


def between(old: Pixels, new: Pixels, over_s: float) -> Movement:
    """What moved between two BGR frames of one size."""
    if old.shape != new.shape:
        return Movement(True, True, (), "", "", over_s)
    width_px = new.shape[1]
    moved, covered = align(old, new)
    camera = covered.mean() < 1 - CAMERA_FROM
    matched = same_light(moved, new, covered)
    different = differs(matched, new) & covered
    if different.mean() > EVERYTHING_FROM:
        return Movement(True, True, (), "", "", over_s)
    found = regions(different, matched, new)
    if not found:
        return Movement(bool(camera), bool(camera), (), "", "", over_s)
    where = tuple(dict.fromkeys(place(region.x_px, width_px) for region in found))
    return Movement(True, False, where, _colour(found), _way(found, matched, new), over_s)


def _colour(found: list[Region]) -> str:
    shown = [region for region in found if region.kind != WENT_AWAY]
    return (shown or found)[0].colour


def _way(found: list[Region], old: Pixels, new: Pixels) -> str:
    """The direction of the largest piece that is found at different places in the two frames."""
    width_px = new.shape[1]
    for region in found[:3]:
        # A piece that went away is searched in the new frame, any other piece in the old one.
        source, target = (old, new) if region.kind == WENT_AWAY else (new, old)
        box = _around(region, width_px, new.shape[0])
        piece = source[box[1] : box[3], box[0] : box[2]]
        if min(piece.shape[:2]) < 8 or float(piece.std()) < 6:
            continue
        scores = cv2.matchTemplate(target, piece, cv2.TM_CCOEFF_NORMED)
        _, score, _, (x_px, y_px) = cv2.minMaxLoc(scores)
        across, down = x_px - box[0], y_px - box[1]
        if score < FOUND or np.hypot(across, down) < SHIFTED * width_px:
            continue
        # A moved piece has left its old place. Otherwise these are two things that look alike.
        here = float(scores[box[1], box[0]])
        left_behind = source[y_px : y_px + piece.shape[0], x_px : x_px + piece.shape[1]]
        still = float(cv2.matchTemplate(left_behind, piece, cv2.TM_CCOEFF_NORMED)[0, 0])
        if here > score - 0.15 or still > score - 0.15:
            continue
        if region.kind != WENT_AWAY:
            across, down = -across, -down
        return _words(across, down)
    return ""


def _around(region: Region, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    box = region.box
    return (
        max(0, round(box.x * width_px) - 3),
        max(0, round(box.y * height_px) - 3),
        min(width_px, round((box.x + box.width) * width_px) + 3),
        min(height_px, round((box.y + box.height) * height_px) + 3),
    )


def _words(across: float, down: float) -> str:
    sideways = "to the right" if across > 0 else "to the left"
    upright = "down" if down > 0 else "up"
    if abs(across) > 2 * abs(down):
        return sideways
    if abs(down) > 2 * abs(across):
        return upright
    return f"{upright} and {sideways}"


def _small(pixels: Pixels) -> Pixels:
    height_px, width_px = pixels.shape[:2]
    size = (LOOK_AT_PX, max(16, round(LOOK_AT_PX * height_px / width_px)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
