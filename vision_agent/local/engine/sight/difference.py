"""The areas in which two frames of one scene differ by more than light and noise."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Pixels

SLACK_PX = 2
"""Largest shift that is ignored, in pixels at a width of 320."""

DIFFERENT = 18.0
"""CIELAB distance in levels of 255, with both colour axes doubled. Noise and JPEG stay below it."""

OTHER_TINT = 9.0
NO_SHADOW = 70.0
"""Differences in colour and in lightness, in levels of 255, that are too large for a shadow."""

OUTLINE = 0.15
"""Slope per pixel, as a share of the whole step, from which on an area's rim is an outline."""

Mask = npt.NDArray[np.bool_]
Lab = npt.NDArray[np.float32]


def same_light(old: Pixels, new: Pixels, covered: Mask) -> Pixels:
    """The earlier frame in the newer one's exposure and white balance.

    A gain and an offset for each channel are fitted repeatedly, each time to the half of the pixels
    that agree best, so that what really changed does not count.
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
            if spread < 8:  # an area of one shade determines a gain, but no offset
                gain, offset = float(np.median(y[agree] / x[agree])), 0.0
            else:
                gain, offset = (float(v) for v in np.polyfit(x[agree], y[agree], 1))
        if 0.4 < gain < 2.5 and abs(offset) < 60:
            matched[..., channel] = gain * matched[..., channel] + offset
            # A pixel at the sensor's limit was at least that bright: it counts as unchanged.
            limit = (old[..., channel] >= 250) & (new[..., channel] > matched[..., channel])
            matched[..., channel][limit] = new[..., channel][limit]
    return np.asarray(np.clip(np.rint(matched), 0, 255), np.uint8)


def smooth_lab(pixels: Pixels) -> Lab:
    """A BGR frame in CIELAB, 0 to 255 on all three axes, smoothed against noise."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.2)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_BGR2LAB), np.float32)


def differs(old: Pixels, new: Pixels) -> Mask:
    """The pixels of the newer frame that are unlike all nearby pixels of the earlier frame.

    An area in which only the lightness differs may be a shadow or the light of a lamp. It counts
    only if it has an outline: an edge in one of the frames that the other does not have.
    """
    before, after = smooth_lab(old), smooth_lab(new)
    around = np.ones((2 * SLACK_PX + 1, 2 * SLACK_PX + 1), np.uint8)
    more = after - cv2.dilate(before, around)
    less = cv2.erode(before, around) - after
    outside = np.maximum(np.maximum(more, less), 0.0)
    light, tint = outside[..., 0], np.hypot(outside[..., 1], outside[..., 2])
    sure = (tint > OTHER_TINT) | (light > NO_SHADOW)
    unsure = (np.hypot(light, 2 * tint) > DIFFERENT) & ~sure
    return np.asarray(sure | _outlined(unsure, sure, before[..., 0], after[..., 0]), np.bool_)


def _outlined(unsure: Mask, sure: Mask, before: Lab, after: Lab) -> Mask:
    """The areas of ``unsure`` that have an outline in only one of the frames."""
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
        if not rim.any():  # enclosed by an area that surely differs
            kept |= area.astype(np.bool_)
            continue
        jump = float(np.median(step[area.astype(np.bool_)]))
        hard = (stronger[rim] > OUTLINE * jump) & (weaker[rim] < 0.5 * stronger[rim])
        if hard.mean() > 0.5:
            kept |= area.astype(np.bool_)
    return kept
