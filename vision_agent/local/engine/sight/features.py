"""The features by which a thing is recognised: its details (SIFT), or its colours and outline.

Details decide if there are enough of them: many similar points in the same arrangement. A thing
without details (a plain mug) has only its colours and its outline, which other things may share, so
its recognition is never called sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, fit, grey
from vision_agent.local.engine.sight.foreground import Mask, Thing, View, things

LOOK_AT_PX = 640

MOST_POINTS = 300
"""Most points of one taught view; the strongest are kept."""

MOST_SEEN = 1200
"""Most points of a frame."""

FEWEST_POINTS = 25
"""Least number of points for recognition by details."""

RATIO = 0.8
"""Largest ratio of the distances to the nearest and to the second nearest descriptor (Lowe,
2004)."""

FEWEST_ALIKE = 9
"""Least number of points that agree on the thing's position and rotation."""

ALIKE_SHARE = 0.22
"""Least share of the matched points that agree."""

OFF_PX = 6.0

SAME_TINT = 0.06
"""Largest distance of the mean colours of both boxes, in Oklab without lightness, so that a red mug
does not match a green one."""

SAME_COLOURS = 0.6
SAME_OUTLINE = (0.16, 0.05, 0.07, 0.12)
"""For a thing without details: least overlap of the colours, largest differences of the values of
`_outline`."""

MIDDLE = (0.2, 0.15, 0.8, 0.85)
"""Where a shown thing is assumed to be if nothing stands out: left, top, right, bottom."""

Descriptors = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Details:
    """The points of a frame: their positions in pixels, ``(n, 2)``, and their descriptors."""

    points: Points
    descriptors: Descriptors


@dataclass(frozen=True, slots=True)
class Taught:
    """One view of a taught thing.

    Attributes:
        points: Points in pixels from the top left of the box, ``(n, 2)``.
        descriptors: RootSIFT (Arandjelovic and Zisserman, 2012) as bytes, ``(n, 128)``.
        size_px: Width and height of the box.
        colours: Bins of `colour_bins` and the share of each, largest first.
        outline: See `_outline`; empty if nothing stood out.
        tint: Mean a and b (Oklab) in the box.
    """

    points: Points
    descriptors: Descriptors
    size_px: tuple[float, float]
    colours: tuple[tuple[int, float], ...]
    outline: tuple[float, ...]
    tint: tuple[float, float]

    @property
    def has_details(self) -> bool:
        """Whether the thing is recognised by details, and not only by colours and outline."""
        return len(self.points) >= FEWEST_POINTS


class Eye:
    """Extracts features from frames, for teaching and for finding. Keeps no frame.

    Not thread-safe: one thread at a time.
    """

    def __init__(self) -> None:
        self._sift = cv2.SIFT.create(nfeatures=MOST_SEEN, contrastThreshold=0.03)

    def details(self, pixels: Pixels, mask: Pixels | None = None) -> Details:
        """The points of a BGR frame of at most 640 px, strongest first; in the mask if given."""
        keypoints, raw = self._sift.detectAndCompute(grey(pixels), mask)
        if raw is None or not keypoints:
            return Details(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
        root = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-6))
        points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
        strength = np.array([keypoint.response for keypoint in keypoints])
        order = np.argsort(-strength, kind="stable")
        return Details(points[order], np.asarray(np.rint(root * 255), np.uint8)[order])

    def learn(self, pixels: Pixels) -> Taught | None:
        """A view of the thing that is shown in a BGR frame; None if no thing is found."""
        small = fit(pixels, LOOK_AT_PX)
        view = View.of(small)
        shown = in_the_middle(things(view))
        height_px, width_px = small.shape[:2]
        if shown is None:
            left, top, right, bottom = MIDDLE
            box = Box(left, top, right - left, bottom - top)
            mask = np.zeros((height_px, width_px), np.uint8)
            mask[
                round(top * height_px) : round(bottom * height_px),
                round(left * width_px) : round(right * width_px),
            ] = 255
        else:
            box = shown.box
            wide = cv2.dilate(shown.mask.astype(np.uint8) * 255, np.ones((9, 9)))
            mask = np.asarray(cv2.resize(wide, (width_px, height_px)), np.uint8)
        details = self.details(small, mask)
        if shown is None and len(details.points) < FEWEST_POINTS:
            return None
        corner = np.array([box.x * width_px, box.y * height_px], np.float32)
        return Taught(
            (details.points[:MOST_POINTS] - corner).astype(np.float32),
            details.descriptors[:MOST_POINTS],
            (box.width * width_px, box.height * height_px),
            _main_colours(shown) if shown else (),
            _outline(shown.mask) if shown else (),
            tint_of(view, box),
        )


def in_the_middle(found: tuple[Thing, ...] | None) -> Thing | None:
    """The thing that somebody shows: a large one near the middle. None if there is none."""
    shown = [thing for thing in found or () if thing.area > 0.01]
    if not shown:
        return None

    def nearness(thing: Thing) -> float:
        across = thing.box.x + thing.box.width / 2 - 0.5
        down = thing.box.y + thing.box.height / 2 - 0.5
        return float(np.sqrt(thing.area) * np.exp(-(across**2 + down**2) / (2 * 0.22**2)))

    return max(shown, key=nearness)


def find(taught: Taught, seen: Details, size_px: tuple[int, int]) -> tuple[int, Box] | None:
    """Finds the details of a taught view in a frame.

    Args:
        taught: The view.
        seen: The frame's details.
        size_px: The frame's width and height.

    Returns:
        How many points agree, and the box of the thing; None if too few points agree.
    """
    if not taught.has_details or len(seen.points) < FEWEST_ALIKE:
        return None
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    pairs = matcher.knnMatch(
        taught.descriptors.astype(np.float32), seen.descriptors.astype(np.float32), k=2
    )
    good = [m for m, *n in pairs if n and m.distance < RATIO * n[0].distance]
    # A point of the frame matches only one point of the thing, the most similar one.
    best: dict[int, cv2.DMatch] = {}
    for match in good:
        if match.trainIdx not in best or match.distance < best[match.trainIdx].distance:
            best[match.trainIdx] = match
    if len(best) < FEWEST_ALIKE:
        return None
    here = taught.points[[match.queryIdx for match in best.values()]]
    there = seen.points[list(best)]
    affine, agree = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=OFF_PX, maxIters=2000
    )
    if affine is None:
        return None
    way: npt.NDArray[np.float64] = np.array(affine, np.float64)
    if not _plausible(way):
        return None
    count = int(agree.sum())
    if count < FEWEST_ALIKE or count < ALIKE_SHARE * len(best):
        return None
    # Points at nearly the same place count as one.
    spread = np.unique(np.round(there[agree.ravel() > 0] / 4), axis=0)
    if len(spread) < FEWEST_ALIKE - 2:
        return None
    width, height = taught.size_px
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]]) @ way.T
    return count, _box(np.asarray(corners, np.float64), size_px)


def resembles(taught: Taught, thing: Thing) -> float | None:
    """Similarity of a thing to a taught view by colours and outline, 0 to 1; None if unlike it."""
    if not taught.colours or not taught.outline:
        return None
    common = sum(min(share, float(thing.colours[at])) for at, share in taught.colours)
    common /= sum(share for _, share in taught.colours)
    apart = np.abs(np.subtract(_outline(thing.mask), taught.outline)) / SAME_OUTLINE
    if common < SAME_COLOURS or float(apart.max()) > 1:
        return None
    return float(common * (1 - apart.mean() / 2))


def _plausible(way: npt.NDArray[np.float64]) -> bool:
    """Whether a transform is possible: not mirrored, not squeezed flat, not enlarged too much."""
    scales = np.linalg.svd(way[:, :2], compute_uv=False)
    mirrored = np.linalg.det(way[:, :2]) <= 0
    return bool(not mirrored and scales[1] > 0.25 and scales[0] < 4 and scales[0] < 2.5 * scales[1])


def _box(corners: npt.NDArray[np.float64], size_px: tuple[int, int]) -> Box:
    shares = np.clip(corners / size_px, 0, 1)
    (left, top), (right, bottom) = shares.min(axis=0), shares.max(axis=0)
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def _main_colours(thing: Thing) -> tuple[tuple[int, float], ...]:
    order = np.argsort(-thing.colours, kind="stable")[:64]
    return tuple((int(at), float(thing.colours[at])) for at in order if thing.colours[at] > 0.01)


def tint_of(view: View, box: Box) -> tuple[float, float]:
    """Mean a and b (Oklab) in a box of a frame."""
    height_px, width_px = view.bins.shape
    rows = slice(int(box.y * height_px), max(1, round((box.y + box.height) * height_px)))
    columns = slice(int(box.x * width_px), max(1, round((box.x + box.width) * width_px)))
    part = view.lab[rows, columns].reshape(-1, 3)
    if not len(part):
        return 0.0, 0.0
    return float(part[:, 1].mean()), float(part[:, 2].mean())


def _outline(mask: Mask) -> tuple[float, ...]:
    """Measures of an outline that do not depend on its place, its size or its rotation.

    Returns:
        The logarithm of the aspect ratio, and the area as a share of the convex hull, of the
        smallest enclosing rectangle, and of the disc with the same perimeter.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    area = max(1.0, cv2.contourArea(outline))
    _, (one, other), _ = cv2.minAreaRect(outline)
    hull = cv2.contourArea(cv2.convexHull(outline))
    around = cv2.arcLength(outline, closed=True)
    return (
        float(np.log(max(one, other, 1.0) / max(min(one, other), 1.0))),
        float(area / max(area, hull)),
        float(min(1.0, area / max(1.0, one * other))),
        float(4 * np.pi * area / max(1.0, around * around)),
    )
