"""The colours of the thing in the middle of a frame, of other things, and of the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, fit
from vision_agent.local.engine.sight.colour_bins import bins_of, shares
from vision_agent.local.engine.sight.colour_interest import interest
from vision_agent.local.engine.sight.colour_names import (
    NAMES,
    base_name,
    name_of,
    names_of,
    near_names,
)
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

CLOSE = 0.7
"""Least ratio of the second colour's votes to the first colour's for both to be named."""

SHADED = 0.3
"""The same ratio for red beside brown: most of a red thing in the shade is called brown."""

ALONE_FROM, BOTH_FROM = 0.45, 0.6
"""Least share of the votes for one colour, and for two that are named together."""

EVENLY_LIGHT, EVEN_FROM = 0.12, 0.55
"""Largest lightness difference from a grey, and least share of the area within it, for the area to
be called grey. Without this limit, black and white parts would average to grey."""

WARM = ("pink", "red", "orange", "brown", "yellow")
WARM_FROM = 0.03
"""Least chroma of a warm colour. A lower one may be the lamp's cast on white or grey."""

PLAIN = ("black", "grey", "white")
COLOURFUL = 1.6
"""Weight of a colourful pixel's vote; a plain pixel's vote has the weight 1."""

SECOND_FROM = 0.25
"""Least share of the votes for a thing's second colour to be named."""

MAX_OTHERS = 4

CLEAR_FROM = 0.3
"""Least share of the middle's weight that the thing in the middle covers for its colour to be
clear."""

EDGE = 0.12
"""Height of the frame's upper and lower edge, as a share of its height."""


@dataclass(frozen=True, slots=True)
class _Blob:
    mask: Mask
    x_px: float
    area_share: float
    middle_share: float


class Votes(NamedTuple):
    """A colour of an area.

    Attributes:
        name: Its name; empty for none.
        share: Its share of the pixels' votes.
        typical: The colour in Oklab, relative to the frame's white.
    """

    name: str
    share: float
    typical: Floats


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
    clear = False
    if main is not None and main.middle_share >= CLEAR_FROM:
        weights = middle[main.mask]
        clear = bool(clear_colour(lab[main.mask], weights, white_known=white_known))
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

    def clear_in(rows: slice, columns: slice = slice(None)) -> str:
        part = lab[rows, columns].reshape(-1, 3)
        return clear_colour(part, np.ones(len(part)), white_known=white_known) if len(part) else ""

    edge_px = max(2, round(EDGE * height_px))
    return Colour(
        names[0],
        tuple(rest[:MAX_OTHERS]),
        background,
        stands_out=main is not None,
        is_clear=clear,
        clothes=clear_in(*_chest(faces[0], height_px, width_px)) if len(faces) == 1 else "",
        top=clear_in(slice(0, edge_px)),
        bottom=clear_in(slice(-edge_px, None)),
    )


def _chest(face: Box, height_px: int, width_px: int) -> tuple[slice, slice]:
    """The rows and columns where the clothes below a face are."""
    below = face.y + face.height
    top, bottom = below + 0.55 * face.height, min(1.0, below + 1.8 * face.height)
    left, right = max(0.0, face.x - 0.1 * face.width), face.x + 1.1 * face.width
    return (
        slice(round(top * height_px), round(bottom * height_px)),
        slice(round(left * width_px), round(right * width_px)),
    )


def colour_of(colours: tuple[Floats, bool], where: Mask) -> str:
    """The name of the most common colour in an area of a frame.

    Args:
        colours: The frame's colours and whether it shows what is white (`balanced`).
        where: The area, ``(height, width)``.
    """
    flat, white_known = colours
    inside = flat[where.ravel()]
    return most_common(inside, np.ones(len(inside)), white_known=white_known)[0]


def most_common(lab: Floats, weights: Floats, *, white_known: bool) -> list[str]:
    """The name of the most common colour of the pixels ``(n, 3)``, and of a second one if common.

    The pixels vote by name. Colourful pixels count more than grey ones: highlights, shadows and
    edges are grey on a thing of any colour.
    """
    first, second = two_most_common(lab, weights, white_known=white_known)
    return [first.name, second.name] if second.share >= SECOND_FROM else [first.name]


def two_most_common(lab: Floats, weights: Floats, *, white_known: bool) -> tuple[Votes, Votes]:
    """The two most common colours of the pixels ``(n, 3)``.

    The second has no name if all pixels have one colour.
    """
    names = names_of(lab, white_known=white_known)
    plain = np.isin(names, [NAMES.index(name) for name in PLAIN])
    votes = np.bincount(names, weights=weights * np.where(plain, 1.0, COLOURFUL), minlength=11)

    def named(code: int) -> Votes:
        if not votes[code]:
            return Votes("", 0.0, np.zeros(3))
        typical = np.asarray(np.median(lab[names == code], axis=0))
        name = name_of(typical, white_known=white_known)
        return Votes(name, float(votes[code] / votes.sum()), typical)

    first, second = (named(int(code)) for code in np.argsort(-votes, kind="stable")[:2])
    return first, second


def clear_colour(lab: Floats, weights: Floats, *, white_known: bool) -> str:
    """The colour of an area in words, such as "red" or "yellow or orange"; empty if no name fits.

    It has two names if two colours are equally common, or if the colour lies between them.
    """
    first, second = two_most_common(lab, weights, white_known=white_known)
    if _is_hardly(first):
        return ""
    name, base = first.name, base_name(first.name)
    shaded = base == "brown" and base_name(second.name) == "red"
    if second.share and second.share >= (SHADED if shaded else CLOSE) * first.share:
        if first.share + second.share < BOTH_FROM or _is_hardly(second):
            return ""
        return _either(second.name, name) if shaded else _either(name, second.name)
    if first.share < ALONE_FROM or (base == "grey" and not _is_even(first, lab, weights)):
        return ""
    return _either(name, *near_names(first.typical, name))


def _is_even(votes: Votes, lab: Floats, weights: Floats) -> bool:
    """Whether most of an area is about as light as its colour, unlike a white car in the shade."""
    near = np.abs(lab[..., 0] - votes.typical[0]) < EVENLY_LIGHT
    return bool(np.average(near, weights=weights) >= EVEN_FROM)


def _is_hardly(votes: Votes) -> bool:
    """Whether a colour with a warm name is nearly grey: a white shoe at dusk is not pink."""
    a_warm = base_name(votes.name) in WARM
    return a_warm and float(np.hypot(votes.typical[1], votes.typical[2])) < WARM_FROM


def _either(name: str, other: str = "") -> str:
    """Names joined: "brown or orange", "dark red or brown"."""
    if not other:
        return name
    both_dark = name.startswith("dark ") and other.startswith("dark ")
    return f"{name} or {base_name(other) if both_dark else other}"


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
