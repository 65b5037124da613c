"""Encodes pixels as a JPEG file of a bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt


def to_jpeg(
    pixels: npt.NDArray[np.uint8], max_bytes: int, qualities: Sequence[int]
) -> tuple[bytes, bool]:
    """Encodes an image at the first of the given qualities that makes the file small enough.

    Args:
        pixels: BGR, ``(height, width, 3)``.
        max_bytes: The largest file that is small enough.
        qualities: JPEG qualities from 0 to 100, best first.

    Returns:
        The file, and whether it is small enough; at the last quality if none is.

    Raises:
        ValueError: OpenCV could not encode the frame.
    """
    for quality in qualities:
        done, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise ValueError(f"A picture of {pixels.shape} could not be made a JPEG.")
        if len(buffer) <= max_bytes:
            return buffer.tobytes(), True
    return buffer.tobytes(), False
