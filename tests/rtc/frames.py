"""Video frames, and tracks that play them."""

from __future__ import annotations

import asyncio
import fractions

import av
import numpy as np

from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError


class Played(MediaStreamTrack):
    """A track of given frames, each after a pause; it ends after the last one."""

    kind = "video"

    def __init__(self, frames: list[av.VideoFrame], pause_s: float = 0.0) -> None:
        super().__init__()
        self.frames, self.pause_s = frames, pause_s

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(self.pause_s)
        if not self.frames:
            raise MediaStreamError
        return self.frames.pop(0)


def video_frame(array: np.ndarray, pts: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = pts, fractions.Fraction(1, 90_000)
    return frame
