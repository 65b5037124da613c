"""Differences from an earlier frame, in words."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.align import align
from vision_agent.local.engine.sight.camera_frame import Pixels
from vision_agent.local.engine.sight.difference import differs, same_light
from vision_agent.local.engine.sight.observations import Changes
from vision_agent.local.engine.sight.places import PLACES, place
from vision_agent.local.engine.sight.regions import APPEARED, CHANGED, WENT_AWAY, Region, regions

COMPARE_WITH_MS = 3_000
OLDEST_MS = 10_000

LOOK_AT_PX = 320

EVERYTHING_FROM = 0.5
"""Share of the frame from which on a change is not attributed to single things."""

MOST_CLAUSES = 3


def choose_earlier(frames: Sequence[SeenFrame]) -> SeenFrame | None:
    """The frame that the newest frame is compared with.

    This is the newest of the frames that are 3 to 10 s older; otherwise the oldest within 10 s;
    otherwise the newest of all earlier frames.

    Args:
        frames: Oldest first, the newest last.

    Returns:
        The earlier frame; None if there is none.
    """
    if len(frames) < 2:
        return None
    now_ms, earlier = frames[-1].at_ms, frames[:-1]
    within = [frame for frame in earlier if now_ms - frame.at_ms <= OLDEST_MS]
    if not within:
        return earlier[-1]
    before = [frame for frame in within if now_ms - frame.at_ms >= COMPARE_WITH_MS]
    return before[-1] if before else within[0]


def compare(earlier: Pixels, newer: Pixels, since_s: float) -> Changes:
    """How the newer of two BGR frames differs from the earlier one.

    Args:
        earlier: The earlier frame.
        newer: The newer frame.
        since_s: Seconds between the two frames.
    """
    if abs(_aspect(earlier) - _aspect(newer)) > 0.02:
        return Changes(True, PLACES, "the whole picture is different", since_s)
    size = (LOOK_AT_PX, max(16, round(LOOK_AT_PX / _aspect(newer))))
    old = np.asarray(cv2.resize(earlier, size, interpolation=cv2.INTER_AREA), np.uint8)
    new = np.asarray(cv2.resize(newer, size, interpolation=cv2.INTER_AREA), np.uint8)
    old, covered = align(old, new)
    old = same_light(old, new, covered)
    different = differs(old, new) & covered
    if different.mean() > EVERYTHING_FROM:
        return Changes(True, PLACES, "nearly the whole picture is different", since_s)
    found = regions(different, old, new)
    if not found:
        return Changes(False, (), "nothing changed", since_s)
    where, sentences = _tell(found, size[0])
    return Changes(True, where, ", and ".join(sentences), since_s)


def _aspect(pixels: Pixels) -> float:
    height_px, width_px = pixels.shape[:2]
    return float(width_px / height_px)


def _tell(found: list[Region], width_px: int) -> tuple[tuple[str, ...], list[str]]:
    """The places of the changes, and a clause about each change."""
    where: list[str] = []
    clauses: list[str] = []
    left = list(found)
    while left and len(clauses) < MOST_CLAUSES:
        region = left.pop(0)
        twin = next((other for other in left if _is_twin(region, other)), None)
        if twin is not None:
            left.remove(twin)
            gone, come = (region, twin) if region.kind == WENT_AWAY else (twin, region)
            start, end = place(gone.x_px, width_px), place(come.x_px, width_px)
            where += [start, end]
            clauses.append(f"something {come.colour} moved {_way(gone, come, start, end)}")
        else:
            at = place(region.x_px, width_px)
            where.append(at)
            if region.kind == CHANGED:
                clauses.append(f"something changed {at}, it is {region.colour} now")
            else:
                clauses.append(f"something {region.colour} {region.kind} {at}")
    return tuple(dict.fromkeys(where)), list(dict.fromkeys(clauses))


def _is_twin(first: Region, second: Region) -> bool:
    """Whether two regions are one thing, at its old and its new place."""
    if {first.kind, second.kind} != {APPEARED, WENT_AWAY}:
        return False
    ratio = first.area_px / second.area_px
    return bool(np.linalg.norm(first.lab - second.lab) < 28) and 0.4 < ratio < 2.5


def _way(gone: Region, come: Region, start: str, end: str) -> str:
    if start != end:
        return f"from {start.split(' ', 1)[1]} to {end.split(' ', 1)[1]}"
    across, down = come.x_px - gone.x_px, come.y_px - gone.y_px
    if abs(across) >= abs(down):
        return f"to the {'right' if across > 0 else 'left'}, {start}"
    return f"{'down' if down > 0 else 'up'}, {start}"
