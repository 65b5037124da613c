"""What tools can reach of one call (`tools.call_context.CallContext`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from vision_agent.calls.caller_input import CallerInput
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.notices import FloorState, Notices, worded
from vision_agent.calls.pictures import PeerPicture
from vision_agent.calls.server_messages import (
    ClearPointsMessage,
    FullPictureMessage,
    PointMessage,
    UnaskedMessage,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.tools.jobs import Job, Jobs

FRESH_S = 0.7
"""The page sends two pictures a second: one this old is the newest there is."""

NEXT_PICTURE_S = 1.5
FULL_PICTURE_S = 2.5
"""A page needs half a second until its next picture, and time to send so large a one."""

HOLD_S = 3.0


class CallToolContext:
    """Joins tools to the call's halves.

    Args:
        live_queue: The call's live queue.
        view: The caller's client and the call's state.
        caller: The caller's microphone and camera.
    """

    def __init__(self, live_queue: LiveQueue, view: CallerView, caller: CallerInput) -> None:
        self.loop = asyncio.get_running_loop()
        self.jobs = Jobs(self._job_failed)
        self._live_queue = live_queue
        self._view = view
        self._input = caller
        self._notices = Notices(self._floor, self._tell)
        self._camera_px = 0

    async def close(self) -> None:
        """Ends what tools have going on."""
        await self.jobs.close()
        await self._notices.close()

    def camera_size(self, data: object) -> None:
        """The caller's client says how large its camera's own pictures are."""
        if isinstance(data, dict):
            sides = [data.get("width"), data.get("height")]
            self._camera_px = max((side for side in sides if isinstance(side, int)), default=0)

    # CallContext

    def now_s(self) -> float:
        """Monotonic; pictures are dated by it."""
        return time.monotonic()

    async def next_picture(self, newer_than_s: float, timeout_s: float) -> PeerPicture | None:
        """The first picture after that time, if one comes."""
        return await self._input.pictures.next(newer_than_s, timeout_s)

    async def full_picture(self) -> PeerPicture | None:
        """The newest one, or one in full resolution from a client that scales its pictures."""
        if not self._input.camera_on:
            return None
        pictures, now_s = self._input.pictures, self.now_s()
        newest = pictures.newest
        if newest is not None and self._camera_px > max(newest.width, newest.height):
            self._view.show(FullPictureMessage(HOLD_S))
            larger_than_px = max(newest.width, newest.height)
            full = await pictures.next(now_s, FULL_PICTURE_S, larger_than_px=larger_than_px)
            if full is not None:
                return full
        return await pictures.next(now_s - FRESH_S, NEXT_PICTURE_S)

    def shown_at_s(self) -> float | None:
        """Of the newest picture that was sent, or was not because it looks the same."""
        return self._input.shown_at_s

    def show_model(self, jpeg: bytes) -> None:
        """A picture that no other replaces."""
        self._live_queue.close_look(jpeg)

    def tell_agent(self, notice: str) -> None:
        """In the next gap."""
        self._notices.put(notice)

    def show_page(self, message: Mapping[str, object]) -> None:
        """A server message."""
        self._view.channel.server_message(dict(message))

    def show_point(
        self, id: str, label: str, box_2d: Sequence[int], *, shown_at_s: float, seconds: float
    ) -> None:
        """A box on the caller's own picture."""
        age_ms = round(1000 * (self.now_s() - shown_at_s))
        self._view.show(PointMessage(id, label, list(box_2d), age_ms, seconds))

    def clear_points(self) -> None:
        """No boxes any more."""
        self._view.show(ClearPointsMessage())

    def _floor(self) -> FloorState:
        return FloorState(
            caller_speaks=self._input.caller_speaks,
            # Listening begins when the last of the answer has been played.
            agent_busy=self._view.state != "listening" or self._view.answering,
        )

    def _tell(self, notice: str) -> None:
        self._view.show(UnaskedMessage(notice))
        self._input.camera.look_now()
        self._live_queue.text(worded(notice))
        self._view.set_state("thinking")

    def _job_failed(self, job: Job) -> None:
        self.tell_agent(f"I had to give up a {job.kind}: {job.what}.")
