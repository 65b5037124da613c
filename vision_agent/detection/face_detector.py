"""Faces, found by MediaPipe's BlazeFace (full range)."""

from __future__ import annotations

import cv2
import numpy as np

from vision_agent.detection.box import Box, Pixels, overlap
from vision_agent.detection.networks import Letterbox, OnnxNetwork
from vision_agent.weights_file import Weights

FACE_DETECTOR = Weights(
    "vision_agent.detection",
    "face_detector.onnx",
    "ea0bbd623379a45e69d3bb69ca59834a963d998a98a3417b9cb315686e27ed12",
)

SIDE_PX = 192
CELLS = 48
"""Anchors on each side of the network's one map; each is the middle of 4 by 4 pixels."""

LEAST_SCORE = 0.55
CONFIRMED_FROM = 0.55
AROUND = 5.0
"""A face has this score in the whole frame, and this one in a square five faces wide around it. Of
354 photographs, paintings and drawings none without a face has both: in the whole frame alone a
painted elephant has 0.68, more than three of 48 faces."""

MOST = 12
"""The most faces that are checked a second time; further ones are not reported."""

SAME = 0.3
"""Intersection over union from which on two boxes are one face."""


class FaceDetector:
    """Finds faces; safe to use from several threads.

    Raises:
        WeightsError: The weights are missing or damaged.
    """

    def __init__(self) -> None:
        self._network = OnnxNetwork(FACE_DETECTOR)

    def boxes(self, pixels: Pixels) -> tuple[Box, ...]:
        """The boxes of the faces, from the brow to below the mouth, ordered from left to right."""
        kept: list[Box] = []
        for _, box in sorted(self._scored(pixels), key=lambda found: -found[0]):
            if not any(overlap(box, other) > SAME for other in kept):
                kept.append(box)
        faces = [box for box in kept[:MOST] if self._is_confirmed(pixels, box)]
        return tuple(sorted(faces, key=lambda box: box.x))

    def _scored(self, pixels: Pixels) -> list[tuple[float, Box]]:
        """Every box above the least score, with its score; several lie on one face."""
        square = Letterbox.of(pixels, SIDE_PX)
        codes, logits = self._network(square.values, 2)
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        found = []
        for index in np.flatnonzero(scores >= LEAST_SCORE):
            row, column = divmod(int(index), CELLS)
            x, y, width, height = (float(value) / SIDE_PX for value in codes[0, index, :4])
            left = x + (column + 0.5) / CELLS - width / 2
            top = y + (row + 0.5) / CELLS - height / 2
            found.append((float(scores[index]), square.box(left, top, width, height)))
        return found

    def _is_confirmed(self, pixels: Pixels, box: Box) -> bool:
        """Whether a second look, at the face's surroundings only, finds it again."""
        found = self._scored(_around(pixels, box))
        middle = [score for score, one in found if _is_in_the_middle(one)]
        return max(middle, default=0.0) >= CONFIRMED_FROM


def _around(pixels: Pixels, box: Box) -> Pixels:
    """The square around a face; grey where it leaves the frame."""
    # A face that fills the frame is searched in a smaller one, because its square is five times as
    # large.
    scale = SIDE_PX / max(box.width, box.height, 0.01) / max(pixels.shape)
    if scale < 1:
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, np.uint8)
    height_px, width_px = pixels.shape[:2]
    side = max(2, round(AROUND * max(box.width * width_px, box.height * height_px)))
    left = round((box.x + box.width / 2) * width_px - side / 2)
    top = round((box.y + box.height / 2) * height_px - side / 2)
    square = np.full((side, side, 3), 128, np.uint8)
    within = pixels[max(0, top) : top + side, max(0, left) : left + side]
    y, x = max(0, -top), max(0, -left)
    square[y : y + within.shape[0], x : x + within.shape[1]] = within
    return square


def _is_in_the_middle(box: Box) -> bool:
    across, down = box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5
    return abs(across) < 0.15 and abs(down) < 0.15
