"""Finding taught things again in a frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, fit
from vision_agent.local.engine.sight.features import (
    LOOK_AT_PX,
    SAME_TINT,
    Eye,
    Taught,
    find,
    in_the_middle,
    resembles,
    tint_of,
)
from vision_agent.local.engine.sight.foreground import View, things
from vision_agent.local.engine.sight.observations import Known

SURER = 1.15
"""Least ratio of the best resemblance to the second best for the best to be mentioned."""


@dataclass(frozen=True, slots=True)
class TaughtThing:
    """A thing as it was taught.

    Attributes:
        name: Its name in lower case: "mug".
        whose: The word before the name: "my", "the", "a", or "" for a name like "bob".
        views: Its taught views, oldest first.
    """

    name: str
    whose: str
    views: tuple[Taught, ...]

    @property
    def called(self) -> str:
        """The thing's name in a sentence to the user who taught it: "your mug", "a mug", "Bob"."""
        if self.whose == "my":
            return f"your {self.name}"
        if self.whose == "a":
            return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"
        return f"the {self.name}" if self.whose == "the" else self.name.capitalize()


class Finder:
    """Learns and finds things. Not thread-safe: one thread at a time."""

    def __init__(self) -> None:
        self._eye = Eye()
        self._lock = threading.Lock()

    def learn(self, pixels: Pixels) -> Taught | None:
        """A view of the thing that is shown; None if no thing is found."""
        with self._lock:
            return self._eye.learn(pixels)

    def find(self, pixels: Pixels, taught: Sequence[TaughtThing]) -> tuple[Known, ...]:
        """The taught things in a BGR frame, sure ones first, then from left to right."""
        if not taught:
            return ()
        small = fit(pixels, LOOK_AT_PX)
        view = View.of(small)
        with self._lock:
            seen = self._eye.details(small)
        size_px = (small.shape[1], small.shape[0])
        found: dict[str, tuple[int, Box]] = {}
        for thing in taught:
            for one in thing.views:
                hit = find(one, seen, size_px)
                if hit is None or not _same_tint(view, hit[1], one):
                    continue
                if thing.name not in found or hit[0] > found[thing.name][0]:
                    found[thing.name] = hit
        sure = [Known(name, True, box) for name, (_, box) in _apart(found).items()]
        sure.sort(key=lambda known: known.box.x + known.box.width / 2)
        guess = _guess(view, taught) if not sure else None
        return (*sure, *((guess,) if guess else ()))


def _apart(found: dict[str, tuple[int, Box]]) -> dict[str, tuple[int, Box]]:
    """Drops all but the best match of things that were found at the same place."""
    kept: dict[str, tuple[int, Box]] = {}
    for name, (points, box) in sorted(found.items(), key=lambda item: (-item[1][0], item[0])):
        if not any(_overlap(box, other) > 0.5 for _, other in kept.values()):
            kept[name] = (points, box)
    return kept


def _guess(view: View, taught: Sequence[TaughtThing]) -> Known | None:
    """The taught thing that the thing in the middle resembles, if clearly more than any other."""
    shown = in_the_middle(things(view))
    if shown is None or shown.at_edge:
        return None
    scores = []
    for thing in taught:
        likes = [like for one in thing.views if (like := resembles(one, shown)) is not None]
        if likes:
            scores.append((max(likes), thing.name))
    scores.sort(reverse=True)
    if not scores or (len(scores) > 1 and scores[0][0] < SURER * scores[1][0]):
        return None
    return Known(scores[0][1], False, shown.box)


def _same_tint(view: View, box: Box, taught: Taught) -> bool:
    return bool(np.hypot(*np.subtract(tint_of(view, box), taught.tint)) <= SAME_TINT)


def _overlap(first: Box, second: Box) -> float:
    """The share of the smaller box that lies in the other one."""
    across = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    down = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if across <= 0 or down <= 0:
        return 0.0
    smaller = min(first.width * first.height, second.width * second.height)
    return across * down / max(smaller, 1e-9)
