"""A camera whose frames a program switches: recordings, images, arrays."""

from __future__ import annotations

import asyncio

import av
import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from vision_agent.caller.recording import Recording
from vision_agent.caller.tracks import CameraTrack
from vision_agent.caller.video_clock import VideoClock

_HELD_S = 0.1


class SwitchingCamera(MediaStreamTrack):
    """Sends grey frames until `show` is called."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._recorded: CameraTrack | None = None
        self._held = _frame(np.full((240, 320, 3), 128, np.uint8))
        self._clock = VideoClock()

    def show(self, what: Recording | npt.NDArray[np.uint8]) -> None:
        """Show a recording in a loop from its beginning, or a single frame.

        Args:
            what: A recording, or RGB: uint8 of the shape (height, width, 3). An odd last row or
                column is cut off.

        Raises:
            ValueError: The array has another shape or type.
        """
        old, self._recorded = self._recorded, None
        if isinstance(what, Recording):
            self._recorded = CameraTrack(what)
            self._recorded.play()
        else:
            self._held = _frame(what)
        if old is not None:
            old.stop()

    async def recv(self) -> av.VideoFrame:
        """Return the next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        recorded = self._recorded
        if recorded is not None:
            try:
                frame = await recorded.recv()
            except MediaStreamError:
                await asyncio.sleep(_HELD_S)  # replaced meanwhile, or unreadable from here on
            else:
                if self._recorded is recorded:  # otherwise something else is shown by now
                    self._held = frame
        else:
            await asyncio.sleep(_HELD_S)
        return self._clock.stamp(self._held)

    def stop(self) -> None:
        """End the track and release the file."""
        if self._recorded is not None:
            self._recorded.stop()
        super().stop()


def _frame(rgb: npt.NDArray[np.uint8]) -> av.VideoFrame:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError("A frame is RGB: uint8 of the shape (height, width, 3).")
    even = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
    return av.VideoFrame.from_ndarray(even, format="rgb24").reformat(format="yuv420p")
