"""The colours of the thing in the middle of a frame, of other things, and of the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, fit
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.colour_interest import interest
from vision_agent.local.engine.sight.colour_names import NAMES, base_name, name_of, names_of
from vision_agent.local.engine.sight.observations import Colour
from vision_agent.local.engine.sight.oklab import Floats, linear
from vision_agent.local.engine.sight.places import MIDDLE, place
from vision_agent.local.engine.sight.white_balance import balanced

Mask = npt.NDArray[np.bool_]

LOOK_AT_PX = 160
BORDER = 0.07
"""Width of the frame's border, where the background shows, as a share of the frame's sides."""

MIDDLE_SIGMA = 0.17
"""Standard deviation of the bell that weights the middle, as a share of the frame's sides."""

SHOWN_AT = (0.6, 0.25)
"""The bell's centre, as a share of the height, and its standard deviation, for a frame with a face:
the person may be showing something."""

BACKGROUND_FROM = 0.01
"""Least share of the border that a background colour covers."""

BACKGROUND_RATIO = 0.15
"""Least ratio of a background colour's share of the border to its share of the middle. A thing that
fills the middle often touches the border as well."""

THING_FROM = 0.004
PLAIN_THING_FROM = 0.012
"""Least share of the frame for a thing to be reported: of any colour, and of a plain colour. A
small plain area beside the middle may be a highlight, a shadow or a part of another thing."""

IN_THE_MIDDLE_FROM = 0.02
"""Least share of the middle's weight that the thing in the middle has."""

PLAIN = ("black", "grey", "white")
COLOURFUL = 1.6
"""Weight of a colourful pixel's vote; a plain pixel's vote has the weight 1."""

SECOND_FROM = 0.25
"""Least share of the votes for a thing's second colour to be named."""

MAX_OTHERS = 4


@dataclass(frozen=True, slots=True)
class _Blob:
    mask: Mask
    x_px: float
    area_share: float
    middle_share: float


def describe_colours(pixels: Pixels, faces: Sequence[Box] = ()) -> Colour:
    """The colours of a BGR frame.

    A thing is an area whose colours are rare in the border. ``main`` is the colour of the thing
    that fills most of the middle, or of the whole frame if there is no such thing. In a frame with
    a face, what the person shows or wears counts more than hair and skin.

    Args:
        pixels: The frame.
        faces: The boxes of the faces in it.
    """
    small = np.asarray(cv2.medianBlur(fit(pixels, LOOK_AT_PX), 3), np.uint8)
    height_px, width_px = small.shape[:2]
    flat, white_known = balanced(linear(small).reshape(-1, 3))
    lab = flat.reshape(height_px, width_px, 3)
    border = _border(height_px, width_px, with_bottom=not faces)
    middle = _middle(height_px, width_px)
    if faces:
        middle = _middle(height_px, width_px, *SHOWN_AT) * interest(lab, faces)

    def named(where: Mask) -> list[str]:
        return most_common(lab[where], middle[where], white_known=white_known)

    at_border = lab[border]
    background = most_common(at_border, np.ones(len(at_border)), white_known=white_known)[0]
    things = _things(_stands_out(lab, border, middle), middle)
    main = max(things, key=lambda thing: thing.middle_share, default=None)
    if main is None or main.middle_share < IN_THE_MIDDLE_FROM:
        main = None
        names = most_common(flat, np.ones(len(flat)), white_known=white_known)[:1]
    else:
        names = named(main.mask)
    told = [(MIDDLE, name) for name in names]
    for thing in sorted(things, key=lambda thing: -thing.area_share):
        if thing is not main:
            name = named(thing.mask)[0]
            if base_name(name) not in PLAIN or thing.area_share >= PLAIN_THING_FROM:
                told.append((place(thing.x_px, width_px), name))
    others: dict[tuple[str, str], tuple[str, str]] = {}
    for where, name in told:
        others.setdefault((where, base_name(name)), (where, name))
    rest = list(others.values())[1:]
    return Colour(names[0], tuple(rest[:MAX_OTHERS]), background, stands_out=main is not None)


def colour_of(pixels: Pixels, where: Mask) -> str:
    """The name of the most common colour in an area of a BGR frame."""
    flat, white_known = balanced(linear(pixels).reshape(-1, 3))
    inside = flat[where.ravel()]
    return most_common(inside, np.ones(len(inside)), white_known=white_known)[0]


def most_common(lab: Floats, weights: Floats, *, white_known: bool) -> list[str]:
    """The name of the most common colour of the pixels ``(n, 3)``, and of a second one if common.

    The pixels vote by name. Colourful pixels count more than grey ones: highlights, shadows and
    edges are grey on a thing of any colour.
    """
    (first, _), (second, share) = two_most_common(lab, weights, white_known=white_known)
    return [first, second] if share >= SECOND_FROM else [first]


def two_most_common(
    lab: Floats, weights: Floats, *, white_known: bool
) -> tuple[tuple[str, float], tuple[str, float]]:
    """The names of the two most common colours of the pixels, each with its share of the votes.

    The second name is empty if no pixel has it.
    """
    names = names_of(lab, white_known=white_known)
    plain = np.isin(names, [NAMES.index(name) for name in PLAIN])
    votes = np.bincount(names, weights=weights * np.where(plain, 1.0, COLOURFUL), minlength=11)

    def named(code: int) -> tuple[str, float]:
        if not votes[code]:
            return "", 0.0
        typical = np.asarray(np.median(lab[names == code], axis=0))
        return name_of(typical, white_known=white_known), float(votes[code] / votes.sum())

    first, second = (named(int(code)) for code in np.argsort(-votes, kind="stable")[:2])
    return first, second


def _border(height_px: int, width_px: int, *, with_bottom: bool) -> Mask:
    """The border, where the background shows.

    Without ``with_bottom`` the lower half is left out: below a face there are clothes.
    """
    mask = np.ones((height_px, width_px), np.bool_)
    y_px, x_px = max(2, round(BORDER * height_px)), max(2, round(BORDER * width_px))
    if with_bottom:
        mask[y_px:-y_px, x_px:-x_px] = False
    else:
        mask[y_px:, x_px:-x_px] = False
        mask[height_px // 2 :] = False
    return mask


def _middle(
    height_px: int, width_px: int, down: float = 0.5, sigma: float = MIDDLE_SIGMA
) -> Floats:
    """Weights of the pixels, highest in the middle; they add up to 1."""
    y = np.linspace(-down, 1 - down, height_px)[:, None]
    x = np.linspace(-0.5, 0.5, width_px)[None, :]
    bell = np.exp(-(x * x + y * y) / (2 * sigma**2))
    return np.asarray(bell / bell.sum(), np.float64)


def _stands_out(lab: Floats, border: Mask, middle: Floats) -> Mask:
    """The pixels whose colours belong to the middle rather than to the border."""
    bins = bins_of(lab)
    of_border = shares(bins[border])
    of_middle = shares(bins.ravel(), middle.ravel())
    known = (of_border >= BACKGROUND_FROM) & (of_border >= BACKGROUND_RATIO * of_middle)
    return np.asarray(~known[bins], np.bool_)


def _things(stands_out: Mask, middle: Floats) -> list[_Blob]:
    cleaned = cv2.morphologyEx(stands_out.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2)))
    cleaned = cv2.morphologyEx(cleaned, cv2.MORPH_CLOSE, np.ones((5, 5)))
    cleaned = cv2.morphologyEx(cleaned, cv2.MORPH_OPEN, np.ones((3, 3)))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(cleaned)
    things = []
    for label in range(1, count):
        area_share = float(stats[label, cv2.CC_STAT_AREA]) / stands_out.size
        if area_share < THING_FROM:
            continue
        mask = np.asarray(labels == label, np.bool_)
        things.append(_Blob(mask, float(centres[label, 0]), area_share, float(middle[mask].sum())))
    return things
