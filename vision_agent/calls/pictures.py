"""The caller's pictures as they are decoded, for whoever in the call looks at them."""

from __future__ import annotations

import asyncio

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from vision_agent.rtc.camera import fitting
from vision_agent.tools.call_context import Pixels


class PeerPicture:
    """One decoded picture (`tools.call_context.Picture`)."""

    def __init__(self, frame: VideoFrame, captured_at_s: float) -> None:
        self._frame = frame
        self.captured_at_s = captured_at_s
        self.width = frame.width
        self.height = frame.height

    def pixels(self, max_px: int) -> Pixels:
        """BGR, at most so large on its longer side. Blocks for milliseconds."""
        width, height = fitting(self.width, self.height, max_px)
        # A frame's own `reformat` keeps its state in the frame, which the camera's thread uses at
        # the same time: that ends the process.
        picture = VideoReformatter().reformat(
            self._frame, width=width, height=height, format="bgr24", threads=1
        )
        return np.asarray(picture.to_ndarray(), np.uint8)


class Pictures:
    """Holds the newest picture, and wakes those who wait for a newer one."""

    def __init__(self) -> None:
        self.newest: PeerPicture | None = None
        self._arrived = asyncio.Event()

    def take(self, frame: VideoFrame, captured_at_s: float) -> None:
        """A picture was decoded (`rtc.Camera`'s `on_picture`)."""
        self.newest = PeerPicture(frame, captured_at_s)
        self._arrived.set()
        self._arrived = asyncio.Event()

    def forget(self) -> None:
        """The newest picture shows nothing any more that is there."""
        self.newest = None

    async def next(
        self, newer_than_s: float, timeout_s: float, *, larger_than_px: int = 0
    ) -> PeerPicture | None:
        """The first one captured after that time, and larger than so much; None in vain."""
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
