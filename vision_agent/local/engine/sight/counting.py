"""Counts things of one kind: alike in colour, size and shape."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np

from vision_agent.local.engine.sight.foreground import Mask, Thing, View, alike, split, things
from vision_agent.local.engine.sight.observations import Count

LIKE = 0.45
"""Least overlap of the colour distributions of two things of one kind."""

TYPICAL = 0.04
"""Least share of a kind's pixels in a colour bin and its neighbours for the bin to be typical."""

THRESHOLDS = (0.025, 0.030, 0.036)

SLIVER = 0.012
"""Share of the frame. A smaller thing that the frame's edge cuts off is not counted."""

TOO_LARGE = 0.45
"""Share of the frame. A thing that is cut off and has a larger box is part of the background."""

PARTLY = 0.12
"""Least visible share of a whole thing's area for a partly hidden thing to be counted."""


def count(view: View) -> Count:
    """Counts the things of the largest kind.

    Glass that hardly differs from the wall behind it breaks into pieces at one threshold and is
    whole at another. So three thresholds vote.
    """
    counted = [_count(view, things(view, from_background)) for from_background in THRESHOLDS]
    told = [found for found in counted if found is not None]
    if len(told) < 2:
        return Count(0, 0, "", 0, busy=True)
    votes = Counter((found.sure, found.perhaps) for found in told)
    (_, most), *_ = votes.most_common(1)
    agreed = [found for found in told if votes[found.sure, found.perhaps] == most]
    return min(agreed, key=lambda found: (found.perhaps, -found.sure))


def _count(view: View, found: tuple[Thing, ...] | None) -> Count | None:
    """Counts the things that one threshold has found; None if they can't be counted.

    Things that are held in a hand, cut off by the frame's edge or partly hidden are counted
    separately, as perhaps there. They are found by the colours of the kind within the things that
    are not of the kind.

    Args:
        view: The frame.
        found: The things in it; None if the background is too busy.
    """
    if found is None or any(
        thing.at_edge and thing.box.width * thing.box.height > TOO_LARGE for thing in found
    ):
        return None
    found = tuple(thing for thing in found if not (thing.at_edge and thing.area < SLIVER))
    kinds = [[other for other in found if _of_a_kind(thing, other)] for thing in found]
    if not kinds:
        return Count(0, 0, "", 0)
    kind = max(kinds, key=lambda k: (len(k), sum(t.area for t in k)))
    whole = _whole(kind)
    hidden = [*_hidden(view, whole, found, kind), *(t for t in kind if t not in whole)]
    places = tuple(thing.box for thing in sorted(whole, key=lambda thing: thing.box.x))
    rest = [thing for thing in found if thing not in kind]
    colours = [thing.colour for thing in whole]
    colour = max(set(colours), key=lambda name: (colours.count(name), name))
    return Count(len(whole), len(hidden), colour, len(rest), places)


def _of_a_kind(first: Thing, second: Thing) -> bool:
    if first is second:
        return True
    if alike(first.colours, second.colours) < LIKE:
        return False
    areas = first.area / second.area
    a, b = first.box, second.box
    # Sides are compared by length, so a thing turned by 90 degrees is still of the same kind.
    longer = max(a.width, a.height) / max(b.width, b.height)
    shorter = min(a.width, a.height) / min(b.width, b.height)
    return 0.5 < areas < 2 and 0.55 < longer < 1.8 and 0.45 < shorter < 2.2


def _whole(kind: list[Thing]) -> list[Thing]:
    """The things that are whole or nearly so; all of them if none is."""
    largest = max(thing.area for thing in kind)
    whole = [thing for thing in kind if not thing.at_edge or thing.area > 0.75 * largest]
    return whole or kind


def _hidden(
    view: View, whole: list[Thing], found: tuple[Thing, ...], kind: list[Thing]
) -> list[Thing]:
    """Parts with the colours of the kind, within things that are not of the kind."""
    colours = np.mean([thing.colours for thing in whole], axis=0)
    typical = colours >= TYPICAL
    area = float(np.median([thing.area for thing in whole]))
    hidden = []
    for other in found:
        if other in kind or other.area < PARTLY * area:
            continue
        inside: Mask = other.mask & np.asarray(typical[view.bins], np.bool_)
        closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((3, 3)))
        parts = split(view, np.asarray(opened, np.bool_))
        # Only the largest part counts: several parts of one hidden thing may be visible.
        hidden += [part for part in parts[:1] if PARTLY * area < part.area < 1.6 * area]
    return hidden
