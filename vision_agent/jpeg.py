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


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """The file with a comment right after its start (ITU-T T.81 B.2.4.5), of 65,533 bytes at most.

    A model that is shown the picture does not see the comment; a program can read it.
    """
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return jpeg[:2] + segment + jpeg[2:]


def comment_of(jpeg: bytes) -> bytes:
    """The comment right after the start of a file; empty if there is none there."""
    if jpeg[2:4] != b"\xff\xfe":
        return b""
    return jpeg[6 : 4 + int.from_bytes(jpeg[4:6], "big")]
