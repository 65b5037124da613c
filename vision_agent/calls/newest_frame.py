"""The camera's newest decoded frame, for the tools that look at it."""

from __future__ import annotations

import asyncio

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from vision_agent.rtc.camera import fitting
from vision_agent.tools.call_context import Pixels


class PeerFrame:
    """One decoded frame (`tools.call_context.CameraFrame`)."""

    def __init__(self, frame: VideoFrame, captured_at_s: float) -> None:
        self._frame = frame
        self.captured_at_s = captured_at_s
        self.width = frame.width
        self.height = frame.height

    def pixels(self, max_px: int) -> Pixels:
        """The frame as BGR, scaled to `max_px` on its longer side. Blocks for milliseconds."""
        width, height = fitting(self.width, self.height, max_px)
        # `VideoFrame.reformat` keeps state in the frame, which the camera's thread uses at the same
        # time: that crashes the process.
        scaled = VideoReformatter().reformat(
            self._frame, width=width, height=height, format="bgr24", threads=1
        )
        return np.asarray(scaled.to_ndarray(), np.uint8)


class NewestFrame:
    """Holds the newest frame, and wakes those who wait for a newer one."""

    def __init__(self) -> None:
        self.newest: PeerFrame | None = None
        self._arrived = asyncio.Event()

    def take(self, frame: VideoFrame, captured_at_s: float) -> None:
        """Take a decoded frame (`rtc.Camera`'s `on_decoded`)."""
        self.newest = PeerFrame(frame, captured_at_s)
        self._arrived.set()
        self._arrived = asyncio.Event()

    def forget(self) -> None:
        """Drop the frame: the camera is off."""
        self.newest = None

    async def next(
        self, newer_than_s: float, timeout_s: float, *, larger_than_px: int = 0
    ) -> PeerFrame | None:
        """The first frame captured after `newer_than_s` and larger than `larger_than_px`.

        None on timeout. Times are monotonic seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self._fits(newer_than_s, larger_than_px):
                    await self._arrived.wait()
        except TimeoutError:
            return None
        return self.newest

    def _fits(self, newer_than_s: float, larger_than_px: int) -> bool:
        newest = self.newest
        return (
            newest is not None
            and newest.captured_at_s > newer_than_s
            and max(newest.width, newest.height) > larger_than_px
        )
