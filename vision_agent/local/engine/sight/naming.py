"""Decides which names are accepted, and with which certainty, from the networks' results. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp

import numpy as np
import numpy.typing as npt

from vision_agent.detection.box import Box, clipped, overlap, shared_area
from vision_agent.detection.object_detector import Detection
from vision_agent.local.engine.sight.everyday import by_sort, by_word, kind_of, of_sort
from vision_agent.local.engine.sight.observations import LIKELY, PERHAPS, SURE, UNKNOWN, Named
from vision_agent.local.engine.sight.plausible import borne_out, support

Chances = npt.NDArray[np.float32]

# Chosen on one half of the photographs of benchmarks/sight.py.
SURE_FROM, LIKELY_FROM, PERHAPS_FROM = 0.52, 0.43, 0.4
"""Least scores of the detector, averaged over the frames and adjusted by the classifier."""

MORE_FROM = 0.3
"""Least score of a thing beside others of its kind, which is then only perhaps there."""

PERSON_SURE_FROM, PERSON_FROM = 0.6, 0.5
"""Least scores of a person without a face. Drawings and arms reach 0.49."""

WITH_SHOES_SURE_FROM, WITH_SHOES_FROM = 0.4, 0.3
"""Least scores of a person whose box holds a shoe; 25 of 25 such boxes were people."""

WORD_SURE_FROM, WORD_FROM, WORD_PERHAPS_FROM = 0.6, 0.42, 0.38
"""Least probabilities of a word, by the classifier."""

SORT_FROM, SORT_IN_EACH_FROM = 0.5, 0.4
ANIMAL_FROM = 0.7
"""Least mean probability, and least probability in each crop, of a sort of thing if no word is
likely. The limit for animals is higher, because 40 % of all classes are animals: flowers and the
moon reach 0.62."""

AGREED_FROM, AGREED_CLEAR = 0.25, 6.0
"""Least probability of a word in each of two crops, the middle and the whole frame, and least ratio
to the next best word, for it to be perhaps the main thing of a frame without a box."""

OFTEN_WRONG = {
    "ball": 0.15,
    "balloon": 0.25,
    "clock": 0.5,
    "comic book": 0.25,
    "dog": 0.08,
    "laptop": 0.15,
    "sofa": 0.05,
    "television": 0.15,
    "toilet paper": 0.2,
    "wallet": 0.25,
}
"""Words that drawings and plain shapes are taken for, and by how much their limits are raised. A
drawn pattern is a clock at 0.87. The classes of a dog are 118, and each gets a little of every
picture."""

SHAPES = dict.fromkeys(("ball", "clock", "traffic light", "umbrella"), 0.1)
"""Labels that drawn shapes are taken for, and how much is subtracted from their scores."""

LANDSCAPES = {"mountain": 0.12, "lake": 0.04}
"""Words that are right more often than their probability says, and by how much their limits are
lowered."""

CONTRADICTED_FROM, ANIMAL_CONTRADICTED_FROM = 0.7, 0.5
"""Least probability of another word that overrules the detector's label. Between two animals it is
lower: the first detector knows few animals and takes others for them."""

NEEDS_BORNE_OUT = {"computer mouse": 0.2, "laptop": 0.2, "monitor": 0.2}
"""Kinds that flat dark things, such as a notebook with a rubber band, are taken for, and the least
probability of the supporting classes."""

SCREEN_AT_MOST = 0.85
"""Largest share of the frame that a screen fills; what fills more is a screenshot."""

DOUBTFUL_BORNE_OUT = 0.45
"""Least probability of the supporting classes for a thing that is only perhaps there."""

LONE_SHOE_FROM = 0.5
LONE_SHOE_AREA = 0.1
"""Least score, or else least share of the frame, of a shoe without a person. Small dark things
reach a score of 0.47."""

NOBODY = Named("", Box(0.0, 0.0, 1.0, 1.0), 0.0, UNKNOWN)
"""A thing without a name."""

FURNITURE = frozenset({"table", "chair", "person"})
"""Kinds that are seldom what somebody shows: other things lie on them or are held by them."""

WORN = FURNITURE | {"shoe"}
"""Kinds that are not held in a hand: a person wears them, or they are behind the person."""

ALONE_BORNE_OUT = 0.2
"""Least probability of the supporting classes for a thing that only the second detector finds, or
for an animal that is not sure: both detectors take a deer for a cow."""

HOOFED = frozenset({"cow", "deer", "horse", "sheep"})
"""Kinds that the detectors confuse, because they know no deer."""

NEAR_FROM = 0.08
"""Least nearness of a thing that somebody shows."""


def believed(
    found: Sequence[Detection], chances: Sequence[Chances], faces: Sequence[Box]
) -> tuple[Named, ...]:
    """The accepted things, from left to right.

    Args:
        found: The detections, each thing once.
        chances: The classifier's probabilities for the box of each detection other than a person.
        faces: The faces in the frame, each of which belongs to a person.
    """
    shoes = [one.box for one in found if kind_of(one.label) == "shoe"]
    things = [_person(one, faces, shoes) for one in found if one.label == "person"]
    things += [_person_of(face) for face in faces if not any(_holds(t.box, face) for t in things)]
    others = [one for one in found if one.label != "person"]
    people = [thing.box for thing in things]
    others_chances = zip(others, chances, strict=True)
    things += [_thing(one, of_box, people, others) for one, of_box in others_chances]
    sure = {kind_of(thing.name) for thing in things if thing.certainty == SURE}
    more = [thing for thing in things if _is_perhaps_another(thing, things)]
    things = [_with_its_like(thing, sure) for thing in things if thing.certainty != UNKNOWN]
    things += [replace(thing, certainty=PERHAPS) for thing in more]
    if len({kind_of(thing.name) for thing in things} & HOOFED) > 1:
        things = [_animal(thing) if kind_of(thing.name) in HOOFED else thing for thing in things]
    return tuple(sorted(things, key=lambda thing: thing.box.x + thing.box.width / 2))


def _thing(
    one: Detection, chances: Chances, people: Sequence[Box], found: Sequence[Detection]
) -> Named:
    kind = kind_of(one.label)
    word, chance = _best_word(chances)
    backed = support(kind, chances)
    animals = {kind, word} <= of_sort("animal")
    least = ANIMAL_CONTRADICTED_FROM if animals else CONTRADICTED_FROM
    least += OFTEN_WRONG.get(word, 0.0) if one.alone else 0.0
    is_before = _is_before(word, one, found)
    if kind_of(word) != kind and chance >= least and (backed or 0.0) < 0.3 and not is_before:
        return Named(word, one.box, chance, LIKELY)
    score = borne_out(kind, one.score, chances) - SHAPES.get(one.label, 0.0)
    if is_before:
        score = max(score, one.score)
    certainty = _certainty(score)
    if _is_doubtful(one, kind, certainty, backed, people, found):
        certainty = UNKNOWN
    finer = word if kind_of(word) == kind and word != one.label and chance >= WORD_FROM else ""
    return Named(one.label, one.box, score, certainty, finer)


def _animal(thing: Named) -> Named:
    return replace(thing, name="animal", finer="")


def _is_before(word: str, one: Detection, found: Sequence[Detection]) -> bool:
    """Whether the crop's word names another detection in front of the thing: a mug before a cat."""
    return any(
        kind_of(other.label) == kind_of(word) != kind_of(one.label)
        and other.score >= PERHAPS_FROM
        and shared_area(one.box, other.box) > 0
        for other in found
    )


def _is_doubtful(
    one: Detection,
    kind: str,
    certainty: str,
    backed: float | None,
    people: Sequence[Box],
    found: Sequence[Detection],
) -> bool:
    """Whether a detection is of a sort that is mostly wrong, however high its score."""
    area = one.box.width * one.box.height
    if kind == "shoe" and not any(shared_area(one.box, person) > 0 for person in people):
        return one.score < LONE_SHOE_FROM and area < LONE_SHOE_AREA
    if kind == "vase" and any(_is_pot(one, other) for other in found):
        return True
    if one.label == "cup" and certainty != SURE:
        return True  # the second detector takes a glass for a cup
    if backed is None:
        return False
    is_weak = one.alone or (certainty != SURE and kind in of_sort("animal"))
    if is_weak and backed < ALONE_BORNE_OUT:
        return True
    if certainty == PERHAPS and backed < DOUBTFUL_BORNE_OUT:
        return True
    if kind in NEEDS_BORNE_OUT:
        return backed < NEEDS_BORNE_OUT[kind] or area > SCREEN_AT_MOST
    return False


def _is_pot(one: Detection, other: Detection) -> bool:
    """Whether another detection is the plant whose pot a thing is."""
    return other.label == "plant" and shared_area(one.box, other.box) > 0


def _certainty(score: float, sure: float = SURE_FROM, likely: float = LIKELY_FROM) -> str:
    if score >= likely:
        return SURE if score >= sure else LIKELY
    return PERHAPS if score >= PERHAPS_FROM and likely == LIKELY_FROM else UNKNOWN


def _with_its_like(thing: Named, sure: set[str]) -> Named:
    """The thing, now likely, if it was doubtful and others of its kind are sure."""
    alike = thing.certainty == PERHAPS and kind_of(thing.name) in sure
    return replace(thing, certainty=LIKELY) if alike else thing


def _person(one: Detection, faces: Sequence[Box], shoes: Sequence[Box]) -> Named:
    if any(_holds(one.box, face) for face in faces):
        surely = SURE
    elif any(_holds(one.box, shoe) for shoe in shoes):
        surely = _certainty(one.score, WITH_SHOES_SURE_FROM, WITH_SHOES_FROM)
    else:
        surely = _certainty(one.score, PERSON_SURE_FROM, PERSON_FROM)
    return Named("person", one.box, one.score, surely)


def _person_of(face: Box) -> Named:
    """A person of whom only the face was found: head and shoulders."""
    middle = face.x + face.width / 2
    box = clipped(
        middle - 1.5 * face.width,
        face.y - 0.6 * face.height,
        middle + 1.5 * face.width,
        face.y + 3 * face.height,
    )
    return Named("person", box, 1.0, SURE)


def _is_perhaps_another(thing: Named, things: Sequence[Named]) -> bool:
    """Whether a box with too low a score may be one more of a kind that is accepted elsewhere."""
    least = PERHAPS_FROM if thing.name == "person" else MORE_FROM
    if thing.certainty != UNKNOWN or thing.score < least:
        return False
    kind = kind_of(thing.name)
    alike = [one for one in things if kind_of(one.name) == kind and one.certainty != UNKNOWN]
    return bool(alike) and not any(shared_area(thing.box, one.box) > 0 for one in alike)


def _holds(box: Box, part: Box) -> bool:
    return shared_area(box, part) > 0.6 * part.width * part.height


def _best_word(chances: Chances) -> tuple[str, float]:
    return max(by_word(chances).items(), key=lambda item: item[1])


def is_enough(thing: Named) -> bool:
    """Whether a name is final; a person or a table may only surround the thing that is meant."""
    return kind_of(thing.name) not in FURNITURE


def shown(box: Box, thing: Named | None, chances: Sequence[Chances]) -> Named:
    """The name of the main thing of a frame.

    Args:
        box: Its place.
        thing: What the detector calls it; None if it found nothing there.
        chances: The classifier's probabilities for one or more crops of it; unused if the
            detector's name `is_enough`.

    Returns:
        The thing; without a name and ``UNKNOWN`` if nothing is sure enough.
    """
    if thing is not None and is_enough(thing):
        return replace(thing, name=thing.finer or thing.name)
    mean = np.asarray(np.mean(chances, axis=0), np.float32)
    word, chance = _best_word(mean)
    least = OFTEN_WRONG.get(word, 0.0) - LANDSCAPES.get(word, 0.0)
    placed = len(chances) == 1  # a single crop is a box of the frame
    if chance - least >= WORD_SURE_FROM:
        return Named(word, box, chance, SURE, placed=placed)
    if chance - least >= WORD_PERHAPS_FROM:
        certainty = LIKELY if chance - least >= WORD_FROM else PERHAPS
        return Named(word, box, chance, certainty, placed=placed)
    if thing is None and _agree(word, chances):
        return Named(word, box, chance, PERHAPS, placed=False)
    return thing or _sort(box, mean, chances) or Named("", box, 0.0, UNKNOWN)


def _sort(box: Box, mean: Chances, chances: Sequence[Chances]) -> Named | None:
    """The sort of thing it is, such as "animal"; None if that is not clear either."""
    for sort, chance in by_sort(mean).items():
        least = ANIMAL_FROM if sort == "animal" else SORT_FROM
        if chance >= least and min(by_sort(c)[sort] for c in chances) >= SORT_IN_EACH_FROM:
            return Named(sort, box, chance, LIKELY, placed=False)
    return None


def _agree(word: str, chances: Sequence[Chances]) -> bool:
    """Whether the last two crops, the middle and the whole frame, clearly show the same word."""
    if len(chances) < 2 or word in OFTEN_WRONG:  # a single crop is a box that was asked about
        return False
    crops = [by_word(crop) for crop in chances[-2:]]
    both = sum(crop[word] for crop in crops)
    next_best = max(sum(crop[other] for crop in crops) for other in crops[0] if other != word)
    return min(crop[word] for crop in crops) >= AGREED_FROM and both >= AGREED_CLEAR * next_best


def in_front(things: Sequence[Named], at: Box | None = None) -> Named | None:
    """The main thing: the one in the given box, or else a large one near the middle.

    A thing in front of a person is held and need not be near the middle. Furniture and people count
    only if there is nothing else.
    """
    if at is not None:
        best = max(things, key=lambda thing: overlap(thing.box, at), default=None)
        return best if best and overlap(best.box, at) > 0.4 else None
    people = [thing.box for thing in things if thing.name == "person"]
    others = [thing for thing in things if kind_of(thing.name) not in FURNITURE]
    near = [
        thing
        for thing in others or things
        if _nearness(thing.box) > NEAR_FROM
        or (kind_of(thing.name) not in WORN and any(_holds(box, thing.box) for box in people))
    ]
    return max(near, key=lambda thing: _nearness(thing.box), default=None)


def _nearness(box: Box) -> float:
    """How large and how central a box is, 0 to 1."""
    across, down = box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5
    return float((box.width * box.height) ** 0.5 * exp(-(across**2 + down**2) / (2 * 0.22**2)))
