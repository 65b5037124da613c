"""The part of a call that tools can use (`tools.call_context.CallContext`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from vision_agent.calls.caller_input import CallerInput
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.newest_frame import PeerFrame
from vision_agent.calls.notices import FloorState, Notices, worded
from vision_agent.calls.server_messages import (
    ClearPointsMessage,
    FullFrameMessage,
    PointMessage,
    UnaskedMessage,
)
from vision_agent.calls.watched_video import VideoSource, WatchedVideo
from vision_agent.tools.jobs import Job, Jobs

FRESH_S = 0.7
"""The page sends two frames a second: a frame of this age is the newest there is."""

NEXT_FRAME_S = 1.5
FULL_FRAME_S = 2.5
"""A page takes half a second until its next frame, and time to send one of this size."""

HOLD_S = 3.0


class CallToolContext:
    """Connects tools to both sides of the call.

    Args:
        view: The caller's client and the call's state.
        caller: The caller's microphone and camera.
    """

    def __init__(self, view: CallerView, caller: CallerInput) -> None:
        self.loop = asyncio.get_running_loop()
        self.jobs = Jobs(self._job_failed)
        self._view = view
        self._input = caller
        self._notices = Notices(self._floor, self._tell)
        self._camera_px = 0

    async def close(self) -> None:
        """End the tools' background jobs."""
        await self.jobs.close()
        await self._notices.close()

    def camera_size(self, data: object) -> None:
        """Take the size of the camera's own frames: `{"width", "height"}` in pixels."""
        if isinstance(data, dict):
            sides = [data.get("width"), data.get("height")]
            self._camera_px = max((side for side in sides if isinstance(side, int)), default=0)

    # CallContext

    def now_s(self) -> float:
        """Monotonic; frames are dated by it."""
        return time.monotonic()

    async def next_frame(self, newer_than_s: float, timeout_s: float) -> PeerFrame | None:
        """The camera's first frame after that time, if one comes."""
        return await self._input.camera.frames.next(newer_than_s, timeout_s)

    async def full_frame(self, source: VideoSource = "camera") -> PeerFrame | None:
        """The newest frame, in full resolution if the client scales its camera's frames down."""
        video = self._video(source)
        if not video.on:
            return None
        frames, now_s = video.frames, self.now_s()
        newest = frames.newest
        if source == "screen":
            video.force_frame()
            return await frames.next(now_s, NEXT_FRAME_S) or frames.newest
        if newest is not None and self._camera_px > max(newest.width, newest.height):
            self._view.show(FullFrameMessage(HOLD_S))
            larger_than_px = max(newest.width, newest.height)
            full = await frames.next(now_s, FULL_FRAME_S, larger_than_px=larger_than_px)
            if full is not None:
                return full
        return await frames.next(now_s - FRESH_S, NEXT_FRAME_S)

    def shown_at_s(self, source: VideoSource = "camera") -> float | None:
        """When the model's newest frame was captured, or a later one that looks the same."""
        return self._video(source).shown_at_s

    def tell_agent(self, notice: str) -> None:
        """Give the agent a notice in the next gap."""
        self._notices.put(notice)

    def show_page(self, message: Mapping[str, object]) -> None:
        """Send a server message."""
        self._view.channel.server_message(dict(message))

    def show_point(
        self,
        id: str,
        label: str,
        box_2d: Sequence[int],
        *,
        shown_at_s: float,
        seconds: float,
        source: VideoSource = "camera",
    ) -> None:
        """Draw a box on the caller's own video."""
        age_ms = round(1000 * (self.now_s() - shown_at_s))
        self._view.show(PointMessage(id, label, list(box_2d), age_ms, seconds, source))

    def clear_points(self) -> None:
        """Remove all boxes."""
        self._view.show(ClearPointsMessage())

    def _video(self, source: VideoSource) -> WatchedVideo:
        return self._input.screen if source == "screen" else self._input.camera

    def _floor(self) -> FloorState:
        return FloorState(
            caller_speaks=self._input.caller_speaks,
            # Listening begins when the last of the answer has been played.
            agent_busy=self._view.state != "listening" or self._view.answering,
        )

    def _tell(self, notice: str) -> None:
        self._view.show(UnaskedMessage(notice))
        self._input.typed(worded(notice))

    def _job_failed(self, job: Job) -> None:
        self.tell_agent(f"I had to give up a {job.kind}: {job.what}.")
