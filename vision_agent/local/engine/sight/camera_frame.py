"""Decoding of camera frames."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision_agent.detection.box import Box as Box

Pixels = npt.NDArray[np.uint8]
"""BGR, ``(height, width, 3)``, or grey, ``(height, width)``."""

MAX_BYTES = 8_000_000
MAX_PIXELS = 16_000_000
"""Twice a 4K frame. Larger images are too expensive for one look a second."""

MAX_SIDE_PX = 1280
"""Larger frames are shrunk: more pixels cost time and improve no result."""

MIN_SIDE_PX = 16

# Start-of-frame markers of ISO/IEC 10918-1, table B.1: C0 to CF without DHT, JPG and DAC.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class UnreadableFrame(ValueError):
    """The bytes can't be decoded as a frame; ``str()`` gives the reason in one sentence."""


def decode(data: bytes) -> Pixels:
    """The pixels of a JPEG or PNG file.

    Args:
        data: The whole file.

    Returns:
        BGR pixels, ``(height, width, 3)``, at most 1280 px on the longer side.

    Raises:
        UnreadableFrame: The file is in neither format, broken, too large or too small.
    """
    if not data:
        raise UnreadableFrame("The picture is empty.")
    if len(data) > MAX_BYTES:
        raise UnreadableFrame(f"The picture has {len(data)} bytes; at most {MAX_BYTES} are read.")
    # The size is checked first: a file of a few kilobytes can decode to gigabytes of pixels.
    width_px, height_px = _size_px(data)
    if width_px * height_px > MAX_PIXELS:
        raise UnreadableFrame(f"The picture is too large: {width_px} by {height_px} pixels.")
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise UnreadableFrame(f"The picture is too small: {width_px} by {height_px} pixels.")
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UnreadableFrame(f"The picture is broken: {error.err}.") from error
    if decoded is None:
        raise UnreadableFrame("The picture is broken: it can not be decoded.")
    return fit(np.asarray(decoded, np.uint8), MAX_SIDE_PX)


def fit(pixels: Pixels, max_side_px: int) -> Pixels:
    """The frame shrunk to at most ``max_side_px`` on its longer side; never enlarged."""
    height_px, width_px = pixels.shape[:2]
    scale = max_side_px / max(height_px, width_px)
    if scale >= 1:
        return pixels
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """The frame without colour, ``(height, width)``."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def _size_px(data: bytes) -> tuple[int, int]:
    """Width and height as the file's header states them."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:2] != b"\xff\xd8":
        raise UnreadableFrame("The picture is neither JPEG nor PNG.")
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # padding before a marker
            at += 1
        elif marker in _FRAME_MARKERS:
            height_px = int.from_bytes(data[at + 5 : at + 7], "big")
            return int.from_bytes(data[at + 7 : at + 9], "big"), height_px
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a segment
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise UnreadableFrame("The picture is broken: its header states no size.")
