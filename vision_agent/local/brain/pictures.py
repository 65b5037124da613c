"""Frames as data URLs, no larger than a model is to be shown them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from vision_agent.jpeg import to_jpeg
from vision_agent.local.contract import SeenFrame, Turn

_QUALITIES = (85, 70, 50, 30)
_MAX_BYTES = 300_000


def newest_of_each(turn: Turn, most: int) -> list[SeenFrame]:
    """The frames for a model: the newest of each source that is on, then older ones of the camera.

    Args:
        turn: The turn, its frames with their sources.
        most: The most frames.
    """
    if not most:
        return []
    off = {"camera": turn.camera_off_ms is not None, "screen": turn.screen_off_ms is not None}
    on = [frame for frame in turn.frames if not off.get(frame.source)]
    newest = {frame.source: frame for frame in on}
    others = [frame for source, frame in newest.items() if source != "camera"][:most]
    camera = [frame for frame in on if frame.source == "camera"]
    return [*others, *camera[len(camera) - min(len(camera), most - len(others)) :]]


def data_urls(frames: Sequence[SeenFrame], longer_px: int) -> list[str]:
    """The frames as JPEG data URLs; one that can't be decoded is left out.

    Args:
        frames: JPEG, PNG or WebP.
        longer_px: The longer side, at most.
    """
    urls = []
    for frame in frames:
        pixels = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            continue
        height, width = pixels.shape[:2]
        scale = longer_px / max(height, width)
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        jpeg, _ = to_jpeg(pixels.astype(np.uint8, copy=False), _MAX_BYTES, _QUALITIES)
        urls.append(f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}")
    return urls
