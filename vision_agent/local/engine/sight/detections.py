"""Combines the results of the detectors, before the classifier is asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vision_agent.detection.box import overlap, shared_area
from vision_agent.detection.object_detector import Detection
from vision_agent.local.engine.sight.everyday import kind_of, of_sort

LEAST_FROM = 0.3
"""Least score of a box that is passed to the classifier or confirms another detector's box."""

AGREED = 0.03
"""Added to a score if another detector finds the thing too."""

DENIED = 0.6
"""Least intersection over union for two boxes with different labels to be one thing."""

SAME_PLACE = 0.3
"""Least intersection over union for a thing in two frames to be the same one."""

WITHIN = 0.8
"""Share of a smaller box inside a larger one of the same kind from which on it is not counted: it
is a part of the thing, or the same thing again."""

MOST = 10
"""Most boxes of one frame that are passed to the classifier."""

SURE_FROM = 0.43
"""Score from which on the first detector overrules the second."""

AS_LIKELY = 0.15
ANIMAL_FROM = 0.4
"""Least score of both, and largest difference between them, for two kinds of animal in one place to
be called an animal."""


def steady(frames: Sequence[Sequence[Detection]]) -> tuple[Detection, ...]:
    """The detections of the newest frame. If most frames show one, its score is their mean.

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


def together(found: Sequence[Detection], others: Sequence[Detection]) -> tuple[Detection, ...]:
    """The detections of two detectors; what both find has a higher score and the first one's label.

    Where the two differ, the first one is right more often.
    """
    merged, rest = [], list(others)
    for one in (one for one in found if one.score >= LEAST_FROM):
        same = [other for other in rest if _is_same(one, other)]
        if same:
            nearest = max(same, key=lambda other: overlap(one.box, other.box))
            rest.remove(nearest)
            one = replace(one, score=max(one.score, nearest.score) + AGREED)
        merged.append(one)
        rest = [other for other in rest if not _is_denied(other, one)]
    return (*merged, *(replace(other, alone=True) for other in rest))


def _is_denied(one: Detection, by: Detection) -> bool:
    """Whether the first detector surely gives this thing another label."""
    return (
        kind_of(one.label) != kind_of(by.label)
        and by.score >= SURE_FROM
        and overlap(one.box, by.box) > DENIED
    )


def candidates(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """The detections to pass to the classifier, each thing once, by falling score."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda one: -one.score):
        if one.score < LEAST_FROM:
            break
        same = next((other for other in kept if _is_twice(one, other)), None)
        if same is None:
            kept.append(one)
        elif _is_as_likely_an_animal(one, same):
            kept[kept.index(same)] = replace(same, label="animal")
    return tuple(kept[:MOST])


def _is_as_likely_an_animal(one: Detection, other: Detection) -> bool:
    """Whether a detector takes a thing for two animals equally: a distant cat is also a dog."""
    labels = {one.label, other.label}
    is_near = one.score >= ANIMAL_FROM and other.score - one.score < AS_LIKELY
    return len(labels) == 2 and labels <= of_sort("animal") and is_near


def _is_same(one: Detection, other: Detection) -> bool:
    return kind_of(one.label) == kind_of(other.label) and overlap(one.box, other.box) >= SAME_PLACE


def _is_twice(one: Detection, other: Detection) -> bool:
    if kind_of(one.label) != kind_of(other.label):
        return overlap(one.box, other.box) > 0.75
    smaller = min(one.box.width * one.box.height, other.box.width * other.box.height)
    return overlap(one.box, other.box) > 0.5 or shared_area(one.box, other.box) > WITHIN * smaller
