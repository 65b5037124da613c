"""A camera whose frames a program switches: recordings, images, arrays."""

from __future__ import annotations

import asyncio
import time

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
    """Sends grey frames until `show` is called.

    Args:
        on: Whether it sends anything; see `switch`.

    Attributes:
        sent_s: When the first frame of what is shown now was handed to the encoder, which has sent
            all earlier ones by then; monotonic. None before that.
    """

    kind = "video"

    def __init__(self, *, on: bool = True) -> None:
        super().__init__()
        self._recorded: CameraTrack | None = None
        self._held = _frame(np.full((240, 320, 3), 128, np.uint8))
        self._clock = VideoClock()
        self._is_on = on
        self.sent_s: float | None = None
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why a recording that was shown can't be read any further; None while all can."""
        if self._failure is None and self._recorded is not None:
            self._failure = self._recorded.failure
        return self._failure

    @property
    def is_on(self) -> bool:
        """Whether frames are sent."""
        return self._is_on

    def show(self, what: Recording | npt.NDArray[np.uint8], *, playing: bool = True) -> None:
        """Show a recording from its beginning, or a single frame.

        Args:
            what: A recording, or RGB: uint8 of the shape (height, width, 3). An odd last row or
                column is cut off.
            playing: False holds a recording's first frame until `play`.

        Raises:
            ValueError: The array has another shape or type.
        """
        old, self._recorded, self.sent_s = self._recorded, None, None
        if isinstance(what, Recording):
            self._recorded = CameraTrack(what)
            if playing:
                self._recorded.play()
        else:
            self._held = _frame(what)
        if old is not None:
            self._failure = self._failure or old.failure
            old.stop()

    async def ready(self) -> None:
        """Read the first frame of a recording that is shown."""
        if self._recorded is not None:
            await self._recorded.ready()

    def play(self) -> None:
        """Start a recording whose first frame is held."""
        if self._recorded is not None:
            self._recorded.play()

    def play_part(self, from_s: float, until_s: float) -> None:
        """See `CameraTrack.play_part`."""
        if self._recorded is not None:
            self._recorded.play_part(from_s, until_s)

    @property
    def is_ahead(self) -> bool:
        """See `CameraTrack.is_ahead`."""
        return self._recorded is not None and self._recorded.is_ahead

    def switch(self, on: bool) -> None:
        """Begin or stop to send frames. A recording plays on meanwhile."""
        if on and not self._is_on and self._recorded is not None:
            self._recorded.show_again()
        self._is_on = on

    async def recv(self) -> av.VideoFrame:
        """Return the next frame, when it is due."""
        while not (await self._advance() and self._is_on):
            pass
        if self.sent_s is None:
            self.sent_s = time.monotonic()
        return self._clock.stamp(self._held)

    async def _advance(self) -> bool:
        """Wait until the next frame is due, and hold it.

        Returns:
            Whether it belongs to what is shown now; False if something else was shown meanwhile.
        """
        if self.readyState != "live":
            raise MediaStreamError
        recorded = self._recorded
        if recorded is None:
            await asyncio.sleep(_HELD_S)
            return self._recorded is None
        try:
            frame = await recorded.recv()
        except MediaStreamError:
            await asyncio.sleep(_HELD_S)  # replaced meanwhile, or unreadable from here on
        else:
            if self._recorded is recorded:
                self._held = frame
        return self._recorded is recorded

    def stop(self) -> None:
        """End the track and release the file."""
        if self._recorded is not None:
            self._recorded.stop()
        super().stop()


def _frame(rgb: npt.NDArray[np.uint8]) -> av.VideoFrame:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 2:
        raise ValueError(
            "A frame is RGB: uint8 of the shape (height, width, 3), at least 2 by 2 pixels."
        )
    even = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
    return av.VideoFrame.from_ndarray(even, format="rgb24").reformat(format="yuv420p")
