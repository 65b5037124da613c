"""Finds things of 23 kinds and their boxes: SSD MobileNet v2, trained on Open Images v4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.detection.box import Box, Pixels, clipped, overlap
from vision_agent.detection.networks import Floats, OnnxNetwork, plain_values
from vision_agent.weights_file import Weights

OBJECT_DETECTOR = Weights(
    "vision_agent.detection",
    "object_detector.onnx",
    "bb72f9095eaa7d1ac0599a015b43e6ae93386b6c7225fe06c0a5f16131530a14",
)

SIDE_PX = 300

LABELS = (
    "bicycle",
    "boot",
    "laptop",
    "person",
    "chair",
    "cow",
    "desk",
    "cat",
    "computer mouse",
    "monitor",
    "box",
    "mug",
    "coffee cup",
    "exercise bike",
    "table",
    "bottle",
    "high heel",
    "vehicle",
    "shoe",
    "dog",
    "book",
    "camera",
    "car",
)
"""The classes in the network's order; its class 0 is the background."""

LEAST_SCORE = 0.2
"""Lower scores are dropped here; other modules decide which scores are believed."""

SAME = 0.5
"""Intersection over union from which on two boxes of one kind are one thing."""

_MAPS = (19, 10, 5, 3, 2, 1)
"""Sides of the six feature maps."""
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Detection:
    """A box with a label, as the detector gives it.

    Attributes:
        label: The thing's kind.
        score: 0 to 1.
        box: The thing's place.
        alone: Whether only a detector that is often wrong finds it.
    """

    label: str
    score: float
    box: Box
    alone: bool = False


class ObjectDetector:
    """Finds things; safe to use from several threads.

    Raises:
        WeightsError: The weights are missing or damaged.
    """

    def __init__(self) -> None:
        self._network = OnnxNetwork(OBJECT_DETECTOR)

    def find(self, pixels: Pixels) -> tuple[Detection, ...]:
        """The things in a BGR frame, surest first. One look takes 16 ms of one core."""
        small = np.asarray(cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA))
        codes, logits = self._network(plain_values(np.asarray(small, np.uint8)), 2)
        return decoded(codes, logits, dict(enumerate(LABELS)))


def decoded(codes: Floats, logits: Floats, labels: Mapping[int, str]) -> tuple[Detection, ...]:
    """The things that an SSD with these anchors finds, by falling score.

    Args:
        codes: The encoded boxes, ``(1, 1917, 4)``.
        logits: Those of the classes, ``(1, 1917, n)``; class 0 is the background.
        labels: The classes that are wanted, counted from the first after the background.
    """
    scores = 1 / (1 + np.exp(-logits[0, :, 1:]))
    found = []
    for index, kind in np.argwhere(scores >= LEAST_SCORE):
        if int(kind) in labels:
            box = clipped(*_edges(codes[0, index], anchors()[index]))
            found.append(Detection(labels[int(kind)], float(scores[index, kind]), box))
    return apart(found)


def apart(found: list[Detection]) -> tuple[Detection, ...]:
    """Drops boxes that lie on a surer one of the same kind (non-maximum suppression)."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.score):
        same = (other for other in kept if other.label == one.label)
        if not any(overlap(one.box, other.box) > SAME for other in same):
            kept.append(one)
    return tuple(kept)


def _edges(code: Floats, anchor: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Left, top, right and bottom of an encoded box (y, x, height, width; scaled 10, 10, 5, 5)."""
    middle_y, middle_x, tall, wide = anchor
    y, x = code[0] / 10 * tall + middle_y, code[1] / 10 * wide + middle_x
    height, width = tall * np.exp(code[2] / 5), wide * np.exp(code[3] / 5)
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return tuple(float(edge) for edge in edges)


@cache
def anchors() -> npt.NDArray[np.float64]:
    """The 1917 anchors, ``(n, 4)``: y and x of the middle, height, width, as shares of the frame.

    The layout is that of TensorFlow's ssd_anchor_generator, whose lowest map has three anchors a
    cell and not six.
    """
    boxes = []
    for level, side in enumerate(_MAPS):
        scale, larger = _SCALES[level], _SCALES[level + 1]
        shapes = [(scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
        shapes.append((float(np.sqrt(scale * larger)), 1.0))
        if level == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        for row in range(side):
            for column in range(side):
                middle = ((row + 0.5) / side, (column + 0.5) / side)
                for size, ratio in shapes:
                    boxes.append((*middle, size / np.sqrt(ratio), size * np.sqrt(ratio)))
    return np.array(boxes, np.float64)
