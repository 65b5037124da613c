"""The frame that the model is sent when the caller's camera goes off.

A model answers about the newest frame it has, however old that is. Text would be a turn of the
caller's, which interrupts the answer or is answered; a frame is neither, with every live model. It
says what has happened in print, for models, and in a JPEG comment, for programs.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from vision_agent.jpeg import to_jpeg

COMMENT = b"[notice] The camera is off."
"""The local Live API looks for it."""

_LINES = ("THE CAMERA IS OFF", "There is no picture of the caller now.")
_WIDTH, _HEIGHT = 640, 360
MAX_BYTES = 40_000


@cache
def camera_off_jpeg() -> bytes:
    """The frame, as a JPEG file with the comment."""
    pixels = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
    for n, (line, scale) in enumerate(zip(_LINES, (1.6, 0.8), strict=True)):
        font = cv2.FONT_HERSHEY_SIMPLEX
        (width, _), _ = cv2.getTextSize(line, font, scale, 2)
        at = ((_WIDTH - width) // 2, _HEIGHT // 2 + 60 * n)
        cv2.putText(pixels, line, at, font, scale, (255, 255, 255), 2, cv2.LINE_AA)
    jpeg, _ = to_jpeg(pixels, MAX_BYTES, (80,))
    segment = b"\xff\xfe" + (len(COMMENT) + 2).to_bytes(2, "big") + COMMENT
    return jpeg[:2] + segment + jpeg[2:]  # right after the start of the file (ITU-T T.81 B.2.4.5)
