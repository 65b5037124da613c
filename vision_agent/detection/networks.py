"""Runs networks that find things: one thread each, and no memory kept between two looks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.detection.box import Box, Pixels, clipped
from vision_agent.onnx_session import onnx_session
from vision_agent.weights_file import Weights

Floats = npt.NDArray[np.float32]


class OnnxNetwork:
    """One ONNX network; safe to use from several threads.

    Args:
        weights: The file, whose hash is checked.

    Raises:
        WeightsError: The file is missing, damaged or can't be loaded.
    """

    def __init__(self, weights: Weights) -> None:
        self._session = onnx_session(weights.path())
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, values: Floats, outputs: int) -> list[Floats]:
        """The first `outputs` outputs for an input of the network's own shape."""
        found: list[Floats] = self._session.run(self._outputs[:outputs], {self._input: values})
        return found


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A frame shrunk or enlarged into a square, with grey bars beside it.

    Attributes:
        values: RGB, -1 to 1, ``(1, side, side, 3)``.
        across: Share of the square's width that the frame fills; it lies in the middle.
        down: The same of its height.
    """

    values: Floats
    across: float
    down: float

    @classmethod
    def of(cls, pixels: Pixels, side_px: int) -> Letterbox:
        """The square for a BGR frame."""
        height_px, width_px = pixels.shape[:2]
        scale = side_px / max(height_px, width_px)
        inner = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
        small = cv2.resize(pixels, inner, interpolation=cv2.INTER_AREA)
        left, top = (side_px - inner[0]) // 2, (side_px - inner[1]) // 2
        square = np.full((side_px, side_px, 3), 128, np.uint8)
        square[top : top + inner[1], left : left + inner[0]] = small
        return cls(plain_values(square), inner[0] / side_px, inner[1] / side_px)

    def box(self, x: float, y: float, width: float, height: float) -> Box:
        """A box of the square, in shares of its side, as a box of the frame."""
        left = (x - (1 - self.across) / 2) / self.across
        top = (y - (1 - self.down) / 2) / self.down
        return clipped(left, top, left + width / self.across, top + height / self.down)


def plain_values(pixels: Pixels) -> Floats:
    """BGR pixels as one RGB input of -1 to 1."""
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.float32)
    return np.asarray(rgb[None] / 127.5 - 1, np.float32)
