"""`look_closely`: shows the model a fresh frame, or a part of it, in the camera's resolution.

The picture is part of the result: ADK moves it into `FunctionResponse.parts`, and the model
connection sends it in the way in which the model sees it.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import cv2
import numpy as np
from google.genai import types
from pydantic import Field

from vision_agent.jpeg import to_jpeg, with_comment
from vision_agent.tools.boxes import BadBox, Box2d, check_box, in_pixels
from vision_agent.tools.call_context import (
    OFF,
    CallContext,
    Pixels,
    Result,
    SourceArgument,
    chosen_source,
    error,
    in_call,
)

MAX_PX = 1536
"""The longer side of the frame that is sent, at most. A full 720p frame is sent unscaled."""

MAX_BYTES = 1_000_000
ENLARGE_TO_PX = 1024
ENLARGE_AT_MOST = 2.0
"""The factor by which a small part is enlarged, at most. Models and OCR read enlarged small print
better."""

SCREEN_MARK = b"[frame] screen"
"""The JPEG comment by which programs, such as the local Live API, recognise a screen's frame."""

MARGIN = 0.08
JPEG_QUALITIES = (92, 85, 75, 60)
SHRINK = 0.75


async def look_closely(
    what: Annotated[str, Field(description="What to look at, e.g. 'the small print on the label'")],
    region: Box2d | None = None,
    source: SourceArgument = "camera",
) -> Result:
    """Look closely: get the caller's camera picture in full resolution, or one part of it.

    Use it for small text, labels, screens, numbers and details that the ordinary pictures are too
    coarse for. The picture comes with the result. Boxes for point_at always refer
    to the whole camera picture, never to the part.
    """

    async def work(call: CallContext) -> Result:
        try:
            box = None if region is None else check_box(region)
        except BadBox as bad:
            return error(str(bad))
        looked_at = chosen_source(call, source) if region is None else source
        frame = await call.full_frame(looked_at)
        if frame is None:
            return error(f"There is no picture: {OFF[looked_at]}.")

        def make() -> tuple[bytes, int, int]:
            return bounded_jpeg(cut(frame.pixels(max(frame.width, frame.height)), box))

        jpeg, width, height = await asyncio.to_thread(make)
        if looked_at == "screen":
            jpeg = with_comment(jpeg, SCREEN_MARK)
        return {
            "status": f"The picture that comes with this result shows {what} closely.",
            "picture": types.Part.from_bytes(data=jpeg, mime_type="image/jpeg"),
            "source": looked_at,
            "part": "the whole picture" if box is None else list(box),
            "width": width,
            "height": height,
        }

    return await in_call(work)


def cut(pixels: Pixels, box: tuple[int, int, int, int] | None) -> Pixels:
    """Cuts a part with a margin out of a frame and enlarges it if it is small; None: the frame."""
    if box is not None:
        height, width = pixels.shape[:2]
        top, left, bottom, right = in_pixels(box, width, height, margin=MARGIN)
        pixels = pixels[top:bottom, left:right]
        scale = min(ENLARGE_AT_MOST, ENLARGE_TO_PX / max(pixels.shape[:2]))
        if scale > 1:
            pixels = _scaled(pixels, scale, cv2.INTER_CUBIC)
    longer = max(pixels.shape[:2])
    return _scaled(pixels, MAX_PX / longer, cv2.INTER_AREA) if longer > MAX_PX else pixels


def bounded_jpeg(pixels: Pixels, max_bytes: int = MAX_BYTES) -> tuple[bytes, int, int]:
    """A JPEG file of at most `max_bytes`, its width and its height.

    Raises:
        ValueError: OpenCV could not encode the frame.
    """
    while True:
        jpeg, small_enough = to_jpeg(pixels, max_bytes, JPEG_QUALITIES)
        if small_enough:
            return jpeg, pixels.shape[1], pixels.shape[0]
        pixels = _scaled(pixels, SHRINK, cv2.INTER_AREA)


def _scaled(pixels: Pixels, scale: float, how: int) -> Pixels:
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
