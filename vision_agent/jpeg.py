"""Pixels as a JPEG file that is small enough."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt


def to_jpeg(
    pixels: npt.NDArray[np.uint8], max_bytes: int, qualities: Sequence[int]
) -> tuple[bytes, bool]:
    """Encodes a picture in the first of some qualities that makes it small enough.

    Args:
        pixels: BGR, ``(height, width, 3)``.
        max_bytes: The file, at most.
        qualities: Of 100, the best first.

    Returns:
        The file, in the last quality if none is small enough; and whether it is small enough.

    Raises:
        ValueError: OpenCV could not encode the picture.
    """
    for quality in qualities:
        done, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise ValueError(f"A picture of {pixels.shape} could not be made a JPEG.")
        if len(buffer) <= max_bytes:
            return buffer.tobytes(), True
    return buffer.tobytes(), False
