"""Finds things of 78 kinds and their boxes: two networks trained on COCO, which have to agree.

SSDLite MobileNet v2 finds most and is often wrong; NanoDet-g makes other mistakes. On 269
photographs of packages SSDLite alone gives, from a score of 0.5 on, 100 right names and 68 wrong or
unlabelled ones. Of these, NanoDet confirms 90 and 36 with a score of 0.3 or more.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vision_agent.detection.box import Box, Pixels, overlap
from vision_agent.detection.networks import Floats, Letterbox, OnnxNetwork, plain_values
from vision_agent.detection.object_detector import SIDE_PX, Detection, apart, decoded
from vision_agent.weights_file import Weights

COCO_SSD = Weights(
    "vision_agent.detection",
    "coco_ssd.onnx",
    "13f9010c67888cd1f640beb047735cab872ea75b64bebc637b3177269c246927",
)
COCO_NANODET = Weights(
    "vision_agent.detection",
    "coco_nanodet.onnx",
    "919c075c9bfa1f4062a096392dca0d0a2f3f27033de4afd41b7500a4fdf7901e",
)

_CLASSES = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat"),
    *("dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack"),
    *("umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "ball", "kite"),
    *("baseball bat", "baseball glove", "skateboard", "surfboard", "racket", "bottle"),
    *("wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich"),
    *("orange", "broccoli", "carrot", "hot dog", "pizza", "doughnut", "cake", "chair", "sofa"),
    *("plant", "bed", "table", "toilet", "screen", "laptop", "computer mouse"),
    *("remote control", "keyboard", "phone", "microwave", "oven", "toaster", "sink"),
    *("refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair dryer"),
    "toothbrush",
)
"""COCO's classes in their order, in everyday words."""

LABELS = tuple(name for name in _CLASSES if name not in ("frisbee", "kite"))
"""The kinds that are found; both networks take drawn shapes for a frisbee or a kite."""

_LEFT_OUT = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82)
"""The numbers among SSDLite's 90 classes for which COCO has no boxes."""
_SSD_LABELS = dict(zip((n for n in range(90) if n not in _LEFT_OUT), _CLASSES, strict=True))

LEAST_SCORE = 0.2

AGREED_FROM = 0.4
"""Intersection over union from which on a box of each network holds the same thing."""

_MEANS, _SCORES = (0.2, 0.45, 0.55, 0.66, 1.0), (0.2, 0.4, 0.43, 0.52, 0.9)
"""Means of both networks' scores, and the scores of `ObjectDetector` with the same precision."""

NANODET_PX = 416
_STRIDES_PX = (8, 16, 32)
_STEPS = np.arange(11, dtype=np.float32)
"""The distances, in strides, over which NanoDet gives a distribution for each edge of a box."""
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)


class CocoDetector:
    """Finds things; safe to use from several threads.

    Raises:
        WeightsError: The weights are missing or damaged.
    """

    def __init__(self) -> None:
        self._ssd = OnnxNetwork(COCO_SSD)
        self._nanodet = OnnxNetwork(COCO_NANODET)

    def find(self, pixels: Pixels) -> tuple[Detection, ...]:
        """The things in a BGR frame that both networks find, surest first.

        One look takes 63 ms of one core, 19 ms if SSDLite finds nothing.
        """
        found = [one for one in self._by_ssd(pixels) if one.label in LABELS]
        others = self._by_nanodet(pixels) if found else ()
        agreed = []
        for one in found:
            same = [
                other.score
                for other in others
                if other.label == one.label and overlap(one.box, other.box) >= AGREED_FROM
            ]
            if same:
                mean = (one.score + max(same)) / 2
                agreed.append(replace(one, score=float(np.interp(mean, _MEANS, _SCORES))))
        return tuple(sorted(agreed, key=lambda one: -one.score))

    def _by_ssd(self, pixels: Pixels) -> tuple[Detection, ...]:
        small = np.asarray(cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA))
        codes, logits = self._ssd(plain_values(np.asarray(small, np.uint8)), 2)
        return decoded(codes, logits, _SSD_LABELS)

    def _by_nanodet(self, pixels: Pixels) -> tuple[Detection, ...]:
        square = Letterbox.of(pixels, NANODET_PX)
        bgr = (square.values[0, :, :, ::-1] + 1) * 127.5
        values = ((bgr - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None]
        scores, distances = self._nanodet(np.ascontiguousarray(values, np.float32), 2)
        found = []
        for index, kind in np.argwhere(scores[0] >= LEAST_SCORE):
            box = _box(int(index), distances[0, index], square)
            found.append(Detection(_CLASSES[kind], float(scores[0, index, kind]), box))
        return apart(found)


def _box(index: int, distances: Floats, square: Letterbox) -> Box:
    """The box of one of NanoDet's cells, whose edges lie at the mean of their distributions."""
    for stride in _STRIDES_PX:
        cells = NANODET_PX // stride
        if index < cells * cells:
            break
        index -= cells * cells
    row, column = divmod(index, cells)
    shares = np.exp(distances.reshape(4, len(_STEPS)))
    left, top, right, bottom = (shares @ _STEPS / shares.sum(axis=1) / cells).tolist()
    x, y = (column + 0.5) / cells, (row + 0.5) / cells
    return square.box(x - left, y - top, left + right, top + bottom)
