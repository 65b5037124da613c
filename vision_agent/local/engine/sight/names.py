"""Names things: the detectors on the newest frames, the classifier on the thing that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.detection.coco_detector import CocoDetector
from vision_agent.detection.object_detector import LABELS, ObjectDetector
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.camera_frame import Box, Pixels, UnreadableFrame, decode
from vision_agent.local.engine.sight.classifier import Classifier
from vision_agent.local.engine.sight.detections import candidates, steady, together
from vision_agent.local.engine.sight.everyday import kind_of
from vision_agent.local.engine.sight.features import in_the_middle
from vision_agent.local.engine.sight.foreground import View, things
from vision_agent.local.engine.sight.naming import (
    NOBODY,
    believed,
    in_front,
    is_enough,
    shown,
)
from vision_agent.local.engine.sight.observations import Named

FOUND = frozenset(kind_of(label) for label in LABELS)
"""The kinds that the first detector knows."""

FRAMES = 4
OLDEST_MS = 4_000
"""The newest frames that decide together what is there: how many at most, and how old at most."""

MIDDLE = Box(0.15, 0.15, 0.7, 0.7)
WHOLE = Box(0.0, 0.0, 1.0, 1.0)
"""The two crops that are named if nothing stands out from a busy background."""


class Names:
    """Names things; safe to use from several threads.

    Raises:
        WeightsError: The weights are missing or damaged.
    """

    def __init__(self) -> None:
        self._detector = ObjectDetector()
        self._coco = CocoDetector()
        self._classifier = Classifier()

    def named(
        self, frames: Sequence[SeenFrame], newest: Pixels, faces: Sequence[Box]
    ) -> tuple[Named, ...]:
        """The things in the newest frame; more surely those that the few frames before it show too.

        Args:
            frames: Oldest first.
            newest: The pixels of the last of them.
            faces: The boxes of the faces in it.
        """
        now_ms = frames[-1].at_ms
        recent = [one for one in frames[-FRAMES:-1] if now_ms - one.at_ms <= OLDEST_MS]
        earlier = []
        for frame in recent:
            try:
                earlier.append(self._detector.find(decode(frame.jpeg)))
            except UnreadableFrame:
                continue
        found = steady((*earlier, self._detector.find(newest)))
        found = candidates(together(found, self._coco.find(newest)))
        things = [one.box for one in found if one.label != "person"]
        return believed(found, self._classifier.chances(newest, things), faces)

    def shown(self, pixels: Pixels, named: Sequence[Named], at: Box | None) -> Named:
        """The main thing in a frame, or the thing in a given box.

        Args:
            pixels: The frame, BGR.
            named: The things in it that the detector named.
            at: Where the thing is; None for the one in the middle.
        """
        thing = in_front(named, at)
        if thing is not None and is_enough(thing):
            return shown(thing.box, thing, ())
        box = at or (thing.box if thing else None)
        if box is None:
            standing_out = in_the_middle(things(View.of(pixels)))
            box = standing_out.box if standing_out else MIDDLE
        crops = [box] if at or thing else [box, MIDDLE, WHOLE]
        found = shown(box, thing, self._classifier.chances_both_ways(pixels, crops))
        return NOBODY if self._is_contradicted(found, pixels) else found

    def _is_contradicted(self, thing: Named, pixels: Pixels) -> bool:
        """Whether the detector knows this kind of thing and finds none in the frame.

        The classifier takes coffee beans for a cup of coffee.
        """
        kind = kind_of(thing.name)
        if thing.placed or kind not in FOUND:
            return False
        return not any(kind_of(one.label) == kind for one in self._detector.find(pixels))
