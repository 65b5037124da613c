"""What is different from an earlier picture, told in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.contract import SeenFrame
from vision_agent.local.sight.align import align
from vision_agent.local.sight.colours import colour_of
from vision_agent.local.sight.observations import Changes
from vision_agent.local.sight.picture import Pixels
from vision_agent.local.sight.places import PLACES, place

COMPARE_WITH_MS = 3_000
OLDEST_MS = 10_000

LOOK_AT_PX = 320
SLACK_PX = 2
"""Of 320: what differs by less than this shift is no difference."""

DIFFERENT = 18.0
"""Levels of 255, CIELAB, its two colour axes doubled: beyond what noise and JPEG leave."""

OTHER_TINT = 9.0
NO_SHADOW = 70.0
"""Levels: what differs more in colour, or in lightness, is no mere shadow."""

OUTLINE = 0.15
"""Slope a pixel, over the whole step, from which on the rim of an area is an outline."""

REGION_FROM = 0.004
"""Share of the picture: a smaller difference is not told."""

EVERYTHING_FROM = 0.5
"""Share of the picture from which on no single thing is told."""

EDGE_RATIO = 1.25

Mask = npt.NDArray[np.bool_]
Lab = npt.NDArray[np.float32]


def choose_earlier(frames: Sequence[SeenFrame]) -> SeenFrame | None:
    """The picture that the newest is compared with.

    It is the youngest that is at least 3 s older than the newest, if it is not older than 10 s;
    else the oldest within 10 s; else the youngest of all the earlier ones.

    Args:
        frames: Oldest first, the newest last.

    Returns:
        The earlier picture; None if there is none.
    """
    if len(frames) < 2:
        return None
    now_ms, earlier = frames[-1].at_ms, frames[:-1]
    within = [frame for frame in earlier if now_ms - frame.at_ms <= OLDEST_MS]
    if not within:
        return earlier[-1]
    before = [frame for frame in within if now_ms - frame.at_ms >= COMPARE_WITH_MS]
    return before[-1] if before else within[0]


@dataclass(frozen=True, slots=True)
class _Region:
    """An area that differs; ``kind`` is "appeared", "went away" or "changed"."""

    kind: str
    mask: Mask
    x_px: float
    y_px: float
    colour: str
    lab: Lab

    @property
    def area_px(self) -> int:
        return int(self.mask.sum())


def compare(earlier: Pixels, newer: Pixels, since_s: float) -> Changes:
    """Tells what is different in the newer of two BGR pictures.

    Args:
        earlier: The earlier picture.
        newer: The newer picture.
        since_s: Seconds between them.
    """
    if abs(_aspect(earlier) - _aspect(newer)) > 0.02:
        return Changes(True, PLACES, "the whole picture is different", since_s)
    size = (LOOK_AT_PX, max(16, round(LOOK_AT_PX / _aspect(newer))))
    old = np.asarray(cv2.resize(earlier, size, interpolation=cv2.INTER_AREA), np.uint8)
    new = np.asarray(cv2.resize(newer, size, interpolation=cv2.INTER_AREA), np.uint8)
    old, covered = align(old, new)
    old = _same_light(old, new, covered)
    differs = _differs(old, new) & covered
    if differs.mean() > EVERYTHING_FROM:
        return Changes(True, PLACES, "nearly the whole picture is different", since_s)
    regions = _regions(differs, old, new)
    if not regions:
        return Changes(False, (), "nothing changed", since_s)
    where, sentences = _tell(regions, size[0])
    return Changes(True, where, ", and ".join(sentences), since_s)


def _aspect(pixels: Pixels) -> float:
    height_px, width_px = pixels.shape[:2]
    return float(width_px / height_px)


def _same_light(old: Pixels, new: Pixels, covered: Mask) -> Pixels:
    """The earlier picture in the newer one's exposure and white balance.

    A gain and an offset for each channel, fitted again to the half of the pixels that agree best,
    so that what really changed does not count.
    """
    matched = old.astype(np.float64)
    for channel in range(3):
        before, after = old[..., channel][covered][::7], new[..., channel][covered][::7]
        usable = (before > 4) & (before < 250) & (after > 4) & (after < 250)
        if np.count_nonzero(usable) < 100:
            continue
        x, y = before[usable].astype(np.float64), after[usable].astype(np.float64)
        gain, offset = float(np.median(y / x)), 0.0
        for _ in range(6):
            misfit = np.abs(gain * x + offset - y)
            agree = misfit <= max(3.0, float(np.median(misfit)))
            spread = float(x[agree].std())
            if spread < 8:  # one even area tells a gain, but not an offset besides
                gain, offset = float(np.median(y[agree] / x[agree])), 0.0
            else:
                gain, offset = (float(v) for v in np.polyfit(x[agree], y[agree], 1))
        if 0.4 < gain < 2.5 and abs(offset) < 60:
            matched[..., channel] = gain * matched[..., channel] + offset
            # What was at the sensor's limit was at least that bright.
            limit = (old[..., channel] >= 250) & (new[..., channel] > matched[..., channel])
            matched[..., channel][limit] = new[..., channel][limit]
    return np.asarray(np.clip(np.rint(matched), 0, 255), np.uint8)


def _lab(pixels: Pixels) -> Lab:
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.2)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_BGR2LAB), np.float32)


def _differs(old: Pixels, new: Pixels) -> Mask:
    """Where no pixel of the earlier picture nearby is like the newer picture's, or vice versa.

    Where only the light differs it may be a shadow, or a lamp: that counts only if it has an
    outline, where there is an edge in one of the pictures and none in the other.
    """
    before, after = _lab(old), _lab(new)
    around = np.ones((2 * SLACK_PX + 1, 2 * SLACK_PX + 1), np.uint8)
    more = after - cv2.dilate(before, around)
    less = cv2.erode(before, around) - after
    outside = np.maximum(np.maximum(more, less), 0.0)
    light, tint = outside[..., 0], np.hypot(outside[..., 1], outside[..., 2])
    sure = (tint > OTHER_TINT) | (light > NO_SHADOW)
    unsure = (np.hypot(light, 2 * tint) > DIFFERENT) & ~sure
    return np.asarray(sure | _outlined(unsure, sure, before[..., 0], after[..., 0]), np.bool_)


def _outlined(unsure: Mask, sure: Mask, before: Lab, after: Lab) -> Mask:
    """Those areas of ``unsure`` that have an outline in one of the pictures only."""
    slopes = [
        cv2.magnitude(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) / 8
        for light in (before, after)
    ]
    weaker, stronger = (pick(*slopes) for pick in (np.minimum, np.maximum))
    near = np.ones((3, 3), np.uint8)
    weaker, stronger = cv2.dilate(weaker, near), cv2.dilate(stronger, near)
    step = np.abs(after - before)
    kept = np.zeros_like(unsure)
    cleaned = cv2.morphologyEx(unsure.astype(np.uint8), cv2.MORPH_OPEN, near)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cleaned)
    beside_sure = cv2.dilate(sure.astype(np.uint8), np.ones((7, 7))).astype(np.bool_)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < 20:
            continue
        area = np.asarray(labels == label, np.uint8)
        rim = (cv2.dilate(area, near) - cv2.erode(area, near)).astype(np.bool_) & ~beside_sure
        if not rim.any():  # within what surely differs
            kept |= area.astype(np.bool_)
            continue
        jump = float(np.median(step[area.astype(np.bool_)]))
        hard = (stronger[rim] > OUTLINE * jump) & (weaker[rim] < 0.5 * stronger[rim])
        if hard.mean() > 0.5:
            kept |= area.astype(np.bool_)
    return kept


def _regions(differs: Mask, old: Pixels, new: Pixels) -> list[_Region]:
    """The areas that differ and are large enough, largest first."""
    cleaned = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    joined = cv2.morphologyEx(cleaned, cv2.MORPH_CLOSE, np.ones((9, 9)))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(joined)
    before, after = _lab(old), _lab(new)
    regions = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < REGION_FROM * differs.size:
            continue
        mask = np.asarray(labels == label, np.bool_)
        kind = _kind(mask, before, after)
        shown = old if kind == "went away" else new
        inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3))).astype(np.bool_)
        part = inside if inside.sum() > 20 else mask
        lab = np.median((before if kind == "went away" else after)[part], axis=0)
        x_px, y_px = (float(value) for value in centres[label])
        regions.append(_Region(kind, mask, x_px, y_px, colour_of(shown, part), lab))
    return sorted(regions, key=lambda region: -region.area_px)


def _kind(mask: Mask, before: Lab, after: Lab) -> str:
    """Whether the area was like its surroundings before (appeared) or is now (went away)."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15))).astype(np.bool_)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))).astype(np.bool_)
    ring = wide & ~near
    if ring.sum() < 20:
        return "changed"
    strangeness = [_strangeness(lab[mask], lab[ring]) for lab in (before, after)]
    if strangeness[1] > EDGE_RATIO * strangeness[0]:
        return "appeared"
    if strangeness[0] > EDGE_RATIO * strangeness[1]:
        return "went away"
    return "changed"


def _strangeness(inside: Lab, around: Lab) -> float:
    """How far the colours inside are from the nearest ones around, on average."""
    known = around[:: max(1, len(around) // 60)]
    asked = inside[:: max(1, len(inside) // 300)]
    distances = np.linalg.norm(asked[:, None, :] - known[None, :, :], axis=2)
    # The fifth nearest: one pixel of the thing itself in the ring must not count.
    return float(np.partition(distances, 4, axis=1)[:, 4].mean()) + 2.0


def _tell(regions: list[_Region], width_px: int) -> tuple[tuple[str, ...], list[str]]:
    """Where things changed, and a clause about each, at most three."""
    where: list[str] = []
    clauses: list[str] = []
    left = list(regions)
    while left and len(clauses) < 3:
        region = left.pop(0)
        twin = next((other for other in left if _is_twin(region, other)), None)
        if twin is not None:
            left.remove(twin)
            gone, come = (region, twin) if region.kind == "went away" else (twin, region)
            start, end = place(gone.x_px, width_px), place(come.x_px, width_px)
            where += [start, end]
            clauses.append(f"something {come.colour} moved {_way(gone, come, start, end)}")
        else:
            at = place(region.x_px, width_px)
            where.append(at)
            if region.kind == "changed":
                clauses.append(f"something changed {at}, it is {region.colour} now")
            else:
                clauses.append(f"something {region.colour} {region.kind} {at}")
    return tuple(dict.fromkeys(where)), list(dict.fromkeys(clauses))


def _is_twin(first: _Region, second: _Region) -> bool:
    """Whether the two are one thing, here before and there now."""
    if {first.kind, second.kind} != {"appeared", "went away"}:
        return False
    ratio = first.area_px / second.area_px
    return bool(np.linalg.norm(first.lab - second.lab) < 28) and 0.4 < ratio < 2.5


def _way(gone: _Region, come: _Region, start: str, end: str) -> str:
    if start != end:
        return f"from {start.split(' ', 1)[1]} to {end.split(' ', 1)[1]}"
    across, down = come.x_px - gone.x_px, come.y_px - gone.y_px
    if abs(across) >= abs(down):
        return f"to the {'right' if across > 0 else 'left'}, {start}"
    return f"{'down' if down > 0 else 'up'}, {start}"
