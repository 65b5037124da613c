"""Frames that tell the model about those before or after them.

A model answers about the newest frame it has, however old that is, and is not told what a frame
shows. Text would be a turn of the caller's, which interrupts the answer or is answered; a frame is
neither, with every live model. Each says what it has to say in print, for models, and in a JPEG
comment, for programs. A frame of its own costs 258 tokens and covers nothing of the other frames.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from vision_agent.jpeg import to_jpeg, with_comment
from vision_agent.live.shown import FrameSource

CAMERA_OFF = b"[notice] The camera is off."
SCREEN_OFF = b"[notice] The screen is no longer shared."
TITLE = b"[notice] The next frames have a source of their own."
"""Comments that the local Live API looks for."""

_WIDTH, _HEIGHT = 640, 360
MAX_BYTES = 40_000

_TITLES: dict[FrameSource, tuple[str, str]] = {
    "camera": ("CAMERA", "The next pictures are from the caller's camera."),
    "screen": ("SHARED SCREEN", "The next pictures are the caller's screen."),
    "picture": ("SENT PICTURE", "The caller asks about the next pictures."),
}


def off_jpeg(source: FrameSource) -> bytes:
    """The frame that says that the camera or the screen shows nothing any more."""
    if source == "camera":
        return _notice("THE CAMERA IS OFF", "There is no picture of the caller now.", CAMERA_OFF)
    return _notice("THE SCREEN IS OFF", "The caller no longer shares a screen.", SCREEN_OFF)


def title_jpeg(source: FrameSource) -> bytes:
    """The frame that says which source the frames after it are from."""
    return _notice(*_TITLES[source], TITLE)


@cache
def _notice(title: str, words: str, comment: bytes) -> bytes:
    """A JPEG file with two lines of print and a comment."""
    pixels = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
    for n, (line, scale) in enumerate(((title, 1.6), (words, 0.8))):
        font = cv2.FONT_HERSHEY_SIMPLEX
        (width, _), _ = cv2.getTextSize(line, font, scale, 2)
        at = ((_WIDTH - width) // 2, _HEIGHT // 2 + 60 * n)
        cv2.putText(pixels, line, at, font, scale, (255, 255, 255), 2, cv2.LINE_AA)
    jpeg, _ = to_jpeg(pixels, MAX_BYTES, (80,))
    return with_comment(jpeg, comment)
