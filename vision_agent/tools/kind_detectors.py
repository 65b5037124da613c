"""Detectors that know what a thing is: one of a kind comes into view, or is gone.

Networks find things of 81 kinds and faces (`vision_agent.detection`). They err in single frames,
so three looks decide: what comes must be seen in two of them, what is gone in none. A person is
seen by their face, by their shoes or as a whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import cache

from vision_agent.detection.box import Box, overlap, shared_area
from vision_agent.detection.coco_detector import CocoDetector
from vision_agent.detection.face_detector import FaceDetector
from vision_agent.detection.kinds import ALIKE, FoundKind
from vision_agent.detection.object_detector import LABELS, Detection, ObjectDetector
from vision_agent.tools.call_context import Pixels

LOOKS = 3

SEEN_FROM = 0.5
"""Least score of a thing that is counted as present. Arms reach 0.49 as a person. Of 354
photographs and drawings, 14 with people and 3 without have a person of this score."""

WITH_SHOES_FROM = 0.3
"""Least score of a person with shoes, and of the shoes."""

STILL_FROM = 0.25
"""Least score of a thing that was seen before for it to be counted as still present."""

SAME = 0.5
"""Intersection over union from which on two boxes hold the same thing."""

Find = Callable[[Pixels, float], int]
"""Counts the things of the kind in a frame, from a given score on."""


class KindComes:
    """Counts the things of a kind; more than before, in two of three looks, is an event.

    A thing that is in view from the beginning is reported at once. A person is not: people, such as
    the caller, are often in view already, so only a further one is reported.

    Args:
        kind: The kind.
        find: Counts things of the kind in a frame.
    """

    pause_s = 0.4
    names_it = True

    def __init__(self, kind: FoundKind, find: Find | None = None) -> None:
        self._kind = kind
        self._find = find or finder(kind)
        self._counts: deque[int] = deque(maxlen=LOOKS)
        self._before = None if kind.is_person else 0

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        self._counts.append(self._find(pixels, SEEN_FROM))
        if len(self._counts) < LOOKS:
            return None
        now = sorted(self._counts)[LOOKS // 2]
        before = now if self._before is None else self._before
        self._before = min(before, now)  # whoever left may come back
        if now <= before:
            return None
        one = self._kind.with_article
        return f"I see {one} now." if before == 0 else f"Another {self._kind.noun} is in view."


class KindGoes:
    """Waits until a thing of a kind is seen, and then until none was seen in three looks.

    Args:
        kind: The kind.
        find: Counts things of the kind in a frame.
    """

    pause_s = 0.4
    names_it = True

    def __init__(self, kind: FoundKind, find: Find | None = None) -> None:
        self._kind = kind
        self._find = find or finder(kind)
        self._counts: deque[int] = deque(maxlen=LOOKS)
        self._was_there = False

    def look(self, pixels: Pixels) -> str | None:
        """See `Detector.look`."""
        self._counts.append(self._find(pixels, STILL_FROM if self._was_there else SEEN_FROM))
        if len(self._counts) < LOOKS:
            return None
        if not self._was_there:
            self._was_there = sorted(self._counts)[LOOKS // 2] > 0
            return None
        return None if any(self._counts) else f"The {self._kind.noun} is gone."


def finder(kind: FoundKind) -> Find:
    """Counts the things of a kind with the networks, which are loaded once for all calls.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    is_of_the_first = any(kind.fits(label) for label in LABELS)
    detector = things() if is_of_the_first else more_things()
    face_detector = faces() if kind.is_person else None

    def find(pixels: Pixels, least: float) -> int:
        found = detector.find(pixels)
        seen = apart([one.box for one in found if kind.fits(one.label) and one.score >= least])
        if face_detector is not None:
            seen = apart([*seen, *with_shoes(found)])
            boxes_of_faces = face_detector.boxes(pixels)
            seen += [face for face in boxes_of_faces if not any(_holds(b, face) for b in seen)]
        return len(seen)

    return find


def with_shoes(found: Sequence[Detection]) -> list[Box]:
    """The boxes of the people with shoes on; their faces may be turned away."""
    likely = [one for one in found if one.score >= WITH_SHOES_FROM]
    shoes = [one.box for one in likely if ALIKE.get(one.label, one.label) == "shoe"]
    people = [one.box for one in likely if one.label == "person"]
    return [box for box in people if any(_holds(box, shoe) for shoe in shoes)]


def apart(boxes: Sequence[Box]) -> list[Box]:
    """The boxes without those that hold the same thing under another label."""
    kept: list[Box] = []
    for box in boxes:
        if not any(overlap(box, other) > SAME for other in kept):
            kept.append(box)
    return kept


def _holds(body: Box, part: Box) -> bool:
    return shared_area(body, part) > 0.6 * part.width * part.height


@cache
def things() -> ObjectDetector:
    """The detector of things; loaded once, and used by several threads."""
    return ObjectDetector()


@cache
def more_things() -> CocoDetector:
    """The detector of things that the first one doesn't know; loaded once, for several threads."""
    return CocoDetector()


@cache
def faces() -> FaceDetector:
    """The detector of faces; loaded once, and used by several threads."""
    return FaceDetector()
