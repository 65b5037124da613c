"""Taps: tracks that pass another track's frames on and let somebody see them on the way."""

from __future__ import annotations

import time
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack

from vision_agent.caller.recording import Samples, samples_of


class TappedAudio(MediaStreamTrack):
    """An audio track that calls `tap` with each frame's samples and `time.monotonic()`."""

    kind = "audio"

    def __init__(self, track: MediaStreamTrack, tap: Callable[[Samples, float], None]) -> None:
        super().__init__()
        self._track, self._tap = track, tap

    async def recv(self) -> av.AudioFrame:
        """Return the track's next frame."""
        frame = await self._track.recv()
        assert isinstance(frame, av.AudioFrame)
        self._tap(samples_of(frame), time.monotonic())
        return frame

    def stop(self) -> None:
        """End both tracks."""
        self._track.stop()
        super().stop()


class TappedVideo(MediaStreamTrack):
    """A video track whose newest frame can be looked at.

    Attributes:
        newest: The frame sent last; None before the first.
    """

    kind = "video"

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self.newest: av.VideoFrame | None = None
        self._track = track

    async def recv(self) -> av.VideoFrame:
        """Return the track's next frame."""
        frame = await self._track.recv()
        assert isinstance(frame, av.VideoFrame)
        self.newest = frame
        return frame

    def stop(self) -> None:
        """End both tracks."""
        self._track.stop()
        super().stop()
