"""Decides which names are believed, and how surely: pure functions of what the networks found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp

from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.detector import Detection
from vision_agent.local.engine.sight.everyday import kind_of
from vision_agent.local.engine.sight.networks import overlap, shared_area
from vision_agent.local.engine.sight.observations import (
    LIKELY,
    PERHAPS,
    SURE,
    UNKNOWN,
    Named,
)

# Chosen on one half of the photographs of benchmarks/sight.py.
SURE_FROM = 0.55
LIKELY_FROM = 0.42
PERHAPS_FROM = 0.33
"""Detector scores, averaged over the frames in which a thing was seen."""

PERSON_FROM = 0.55
"""Least score of a person: hands, arms and drawings reach 0.48."""

LOOKS_LIKE_SURE = 0.7
LOOKS_LIKE = 0.5
LOOKS_LIKE_PERHAPS = 0.35
"""Probabilities of a word, by the classifier."""

NOBODY = Named("", Box(0.0, 0.0, 1.0, 1.0), 0.0, UNKNOWN)
"""Nothing that has a name."""

FURNITURE = frozenset({"table", "chair", "person"})
"""Kinds that are seldom what somebody shows: other things lie on them or are held by them."""

SAME_PLACE = 0.3
"""Intersection over union from which on a thing in two frames is one thing."""

NEAR_FROM = 0.08
"""Least nearness of a thing that somebody shows."""

WITHIN = 0.8
"""Share of a smaller box in a larger one of the same kind: a part, or the same thing twice."""


def certainty(detection: Detection) -> str:
    """How surely a thing has its label."""
    score = detection.score
    if kind_of(detection.label) == "person" and score < PERSON_FROM:
        return UNKNOWN
    if score >= SURE_FROM:
        return SURE
    if score >= LIKELY_FROM:
        return LIKELY
    return PERHAPS if score >= PERHAPS_FROM else UNKNOWN


def steady(frames: Sequence[Sequence[Detection]]) -> tuple[Detection, ...]:
    """The detections of the newest frame, scored by all frames.

    A thing that was seen at the same place in most frames gets the mean of its scores; one that was
    seen in the newest frame alone, while other things stayed where they were, is doubted.

    Args:
        frames: The detections of the frames, oldest first.
    """
    *earlier, newest = frames
    return tuple(_steady(one, earlier) for one in newest)


def _steady(one: Detection, earlier: Sequence[Sequence[Detection]]) -> Detection:
    scores = [one.score]
    for found in earlier:
        same = [other.score for other in found if _is_same(one, other)]
        scores += [max(same)] if same else []
    if 2 * len(scores) <= len(earlier) + 1:
        return one
    return replace(one, score=sum(scores) / len(scores))


def believed(detections: Sequence[Detection]) -> tuple[Named, ...]:
    """The things that are believed, each once, from left to right."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda one: -one.score):
        if certainty(one) != UNKNOWN and not any(_is_twice(one, other) for other in kept):
            kept.append(one)
    things = [Named(one.label, one.box, one.score, certainty(one)) for one in kept]
    return tuple(sorted(things, key=lambda thing: thing.box.x + thing.box.width / 2))


def in_front(things: Sequence[Named], at: Box | None = None) -> Named | None:
    """The thing that is shown: the one in the box, or else a large one near the middle.

    Furniture and people count only if there is nothing else.
    """
    if at is not None:
        best = max(things, key=lambda thing: overlap(thing.box, at), default=None)
        return best if best and overlap(best.box, at) > 0.4 else None
    others = [thing for thing in things if kind_of(thing.name) not in FURNITURE]
    near = [thing for thing in others or things if _nearness(thing.box) > NEAR_FROM]
    return max(near, key=lambda thing: _nearness(thing.box), default=None)


def _nearness(box: Box) -> float:
    """How much a box is in the middle and how large it is, 0 to 1."""
    across, down = box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5
    return float((box.width * box.height) ** 0.5 * exp(-(across**2 + down**2) / (2 * 0.22**2)))


def _is_same(one: Detection, other: Detection) -> bool:
    return kind_of(one.label) == kind_of(other.label) and overlap(one.box, other.box) >= SAME_PLACE


def _is_twice(one: Detection, other: Detection) -> bool:
    if kind_of(one.label) != kind_of(other.label):
        return overlap(one.box, other.box) > 0.75
    smaller = min(one.box.width * one.box.height, other.box.width * other.box.height)
    return overlap(one.box, other.box) > 0.5 or shared_area(one.box, other.box) > WITHIN * smaller


def shown(box: Box, thing: Named | None, chances: dict[str, float]) -> Named:
    """The name of one thing, from the detector's label and the classifier's words.

    Args:
        box: Its place.
        thing: What the detector calls it; None if it found nothing there.
        chances: The probability of each word.

    Returns:
        The thing; without a name and ``UNKNOWN`` if nothing is sure enough.
    """
    word, chance = max(chances.items(), key=lambda item: item[1])
    if thing is not None:
        finer = kind_of(word) == kind_of(thing.name) and chance >= LOOKS_LIKE
        if finer:
            return replace(thing, name=word, certainty=SURE)
        if thing.certainty == SURE or chance < LOOKS_LIKE:
            return thing
    if chance >= LOOKS_LIKE_SURE:
        return Named(word, box, chance, SURE)
    if chance >= LOOKS_LIKE_PERHAPS:
        return Named(word, box, chance, LIKELY if chance >= LOOKS_LIKE else PERHAPS)
    return Named("", box, 0.0, UNKNOWN)
