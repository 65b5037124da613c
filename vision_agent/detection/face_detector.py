"""Faces, found by MediaPipe's BlazeFace (full range)."""

from __future__ import annotations

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
"""Anchors on each side of the network's one map: the middles of 4 by 4 pixels."""

LEAST_SCORE = 0.7
"""Of 354 photographs, paintings and drawings the highest score without a face is 0.68."""

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
        for _, box in sorted(self.scored(pixels), key=lambda found: -found[0]):
            if not any(overlap(box, other) > SAME for other in kept):
                kept.append(box)
        return tuple(sorted(kept, key=lambda box: box.x))

    def scored(self, pixels: Pixels) -> list[tuple[float, Box]]:
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
