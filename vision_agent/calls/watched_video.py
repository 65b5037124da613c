"""One video of the caller's, the camera or the shared screen: whether it is on, and its frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from av import VideoFrame

from vision_agent.calls.newest_frame import NewestFrame
from vision_agent.calls.options import FrameOptions
from vision_agent.calls.video_presence import SCREEN_OFF_AFTER_S, VideoPresence
from vision_agent.rtc import Camera, ChangeDetector, Frame, FrameSize
from vision_agent.rtc.own.aiortc import MediaStreamTrack

VideoSource = Literal["camera", "screen"]

CHECK_S = 0.25
"""How often to check whether frames have stopped."""

SCREEN_CELLS = (128, 96)
"""The thumbnail in which screens are compared: a changed word is one or two of its cells."""


class WatchedVideo:
    """Watches one video over all peer connections of a call.

    Args:
        source: Which of the two it is.
        options: Which of its frames reach the model.
        on_frame: Called with each frame for the model while the video is on.
        on_off: Called when the video has gone off and the model has seen it.
        on_refused: Called with the size of each frame that is not decoded because of its size.

    Attributes:
        source: The same.
        on: Whether it shows something now.
        since_s: When it was switched on, until its first frame has come; or None.
        sent: The frame that the model was sent last; None while the video is off.
        frames: The newest decoded frame, for tools.
        changes: Decides which frames show something new.
        input: Reads the track of the present peer connection.
    """

    def __init__(
        self,
        source: VideoSource,
        options: FrameOptions,
        *,
        on_frame: Callable[[Frame], None],
        on_off: Callable[[], None],
        on_refused: Callable[[FrameSize], None],
    ) -> None:
        self.source = source
        self._options = options
        self._tell_frame, self._tell_off, self._tell_refused = on_frame, on_off, on_refused
        screen = source == "screen"
        longest_s = (SCREEN_OFF_AFTER_S, SCREEN_OFF_AFTER_S)
        self._presence = VideoPresence(*longest_s) if screen else VideoPresence()
        self.on = False
        self.since_s: float | None = None
        self.sent: Frame | None = None
        self.frames = NewestFrame()
        cells = {"size": SCREEN_CELLS} if screen else {}
        self.changes = ChangeDetector(
            threshold=options.change, max_gap_s=options.max_gap_s, **cells
        )
        self.input = self._new_input()

    @property
    def shown_at_s(self) -> float | None:
        """When the frame was captured that the model saw last, or a later one just like it.

        Monotonic seconds; None while the video is off.
        """
        if self.sent is None:
            return None
        return max(self.sent.captured_at, self.changes.alike_until_s or 0.0)

    def force_frame(self) -> None:
        """Send a fresh frame, if the video is on or about to be."""
        self.input.force_frame()

    def fresh(self, oldest_s: float) -> Frame | None:
        """The frame that the model was sent last, if it still shows what there is."""
        shown_at_s = self.shown_at_s
        if shown_at_s is None or time.monotonic() - shown_at_s > oldest_s:
            return None
        return self.sent

    def renew(self) -> None:
        """Be ready for a new peer connection."""
        self.input = self._new_input()
        self._set_track(False)

    async def watch(self, track: MediaStreamTrack) -> None:
        """Watch until the track ends."""
        reading = self.input
        self._set_track(True)
        checking = asyncio.create_task(self._check(), name=f"{self.source}-check")
        try:
            await reading.run(track)
        finally:
            checking.cancel()
            await asyncio.wait([checking])
            if reading is self.input:
                self._set_track(False)

    def switch(self, on: bool) -> None:
        """Take the client's word that it is on or off."""
        self._presence.enabled(on)
        self._await()

    def _set_track(self, there: bool) -> None:
        self._presence.track(there)
        self._await()

    def _await(self) -> None:
        self.since_s = time.monotonic() if self._presence.awaited else None
        self._note()

    async def _check(self) -> None:
        while True:
            due_s = time.monotonic() + CHECK_S
            await asyncio.sleep(CHECK_S)
            now_s = time.monotonic()
            # After a stall of this process, frames have arrived that were not read yet.
            if now_s < due_s + CHECK_S:
                self._presence.check(now_s)
                self._note()

    def _note(self) -> None:
        """Act on a video that has come on or gone off."""
        if self.on == self._presence.on:
            return
        self.on = self._presence.on
        self.changes.forget()
        if self.on:
            self.since_s = self.since_s or time.monotonic()
            self.force_frame()
            return
        self.since_s = None
        self.frames.forget()
        if self.sent is not None:
            self.sent = None
            self._tell_off()

    def _on_frame(self, frame: Frame) -> None:
        if self.on:  # otherwise it was captured before the video went off
            self.sent = frame
            self._tell_frame(frame)

    def _on_arrival(self) -> None:
        self._presence.arrived(time.monotonic())
        self._note()

    def _on_decoded(self, frame: VideoFrame, captured_at_s: float) -> None:
        if self.on:
            self.frames.take(frame, captured_at_s)

    def _new_input(self) -> Camera:
        return Camera(
            self._on_frame,
            rate_hz=self._options.rate_hz,
            max_px=self._options.max_px,
            max_bytes=self._options.max_bytes,
            changes=self.changes,
            on_decoded=self._on_decoded,
            on_arrival=self._on_arrival,
            on_refused=self._tell_refused,
        )
