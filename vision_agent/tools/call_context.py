"""The interface of the call that a tool runs in.

The call enters its `CallScope` before it starts ADK. The tasks that ADK starts inherit the scope,
and so do its thread pools, which run asynchronous tools on event loops of their own. Therefore
`in_call` runs every tool's work on the call's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vision_agent import call_scope
from vision_agent.tools.jobs import Jobs

Pixels = npt.NDArray[np.uint8]
"""BGR, ``(height, width, 3)``."""

Result = dict[str, Any]
"""The result that a tool returns to the model."""

NO_CALL = "This tool works only in a video call, and there is none here."


VideoSource = Literal["camera", "screen"]
"""Which of the caller's videos: their camera or their shared screen."""


class CameraFrame(Protocol):
    """One frame of the caller's camera or screen, in the size in which it arrived.

    Attributes:
        captured_at_s: Its time of arrival on the call's clock.
        width: In pixels.
        height: In pixels.
    """

    captured_at_s: float
    width: int
    height: int

    def pixels(self, max_px: int) -> Pixels:
        """The frame as BGR, its longer side at most `max_px`. Blocks for milliseconds."""


class CallContext(Protocol):
    """One call. It is used on its own event loop only.

    Attributes:
        loop: The call's event loop.
        jobs: The background jobs, which end with the call.
    """

    loop: asyncio.AbstractEventLoop
    jobs: Jobs

    def now_s(self) -> float:
        """The call's clock, in seconds (monotonic)."""

    async def next_frame(self, newer_than_s: float, timeout_s: float) -> CameraFrame | None:
        """The camera's first frame after a time.

        Args:
            newer_than_s: The time, on the call's clock.
            timeout_s: The longest wait, in seconds; None is returned then.
        """

    async def full_frame(self, source: VideoSource = "camera") -> CameraFrame | None:
        """A fresh frame, in the camera's full resolution if the caller can send it.

        None while the source is off.
        """

    def shown_at_s(self, source: VideoSource = "camera") -> float | None:
        """The capture time, on the call's clock, of the newest frame at the model or one like it.

        None while the source is off.
        """

    def tell_agent(self, notice: str) -> None:
        """Makes the agent speak without a question, as soon as nobody is speaking.

        Args:
            notice: One or two sentences, worded as the agent might say them to the caller.
        """

    def show_page(self, message: Mapping[str, object]) -> None:
        """Sends the caller's client a server message of the application: ``{"kind": ...}``."""

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
        """Draws a labelled box on the caller's own video.

        Args:
            id: Identifies the box.
            label: The name of the thing in the box.
            box_2d: `[top, left, bottom, right]`, each from 0 to 1000.
            shown_at_s: The capture time of the frame that the box refers to, on the call's clock.
            seconds: How long the box stays.
            source: Which of the caller's videos it is drawn on.
        """

    def clear_points(self) -> None:
        """Removes all boxes."""


async def in_call(work: Callable[[CallContext], Coroutine[Any, Any, Result]]) -> Result:
    """Runs a tool's work on the event loop of the call that the tool runs in.

    Args:
        work: Given the call, does the work and returns the tool's result.

    Returns:
        The result of `work`, or an error in words if there is no call.
    """
    call = cast(CallContext | None, call_scope.current().tool_context)
    if call is None or call.loop.is_closed():
        return error(NO_CALL)
    if asyncio.get_running_loop() is call.loop:
        return await work(call)
    elsewhere: Awaitable[Result] = asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(work(call), call.loop)
    )
    return await elsewhere


SourceArgument = Annotated[
    VideoSource,
    Field(description="Which picture: that of the caller's camera, or their shared screen"),
]
"""The parameter of a tool that looks at either of the caller's videos."""

OFF = {
    "camera": "the caller's camera is off",
    "screen": "the caller shares no screen",
}


def chosen_source(call: CallContext, source: VideoSource) -> VideoSource:
    """The video that a tool is to look at: the one asked for, or the other if only that is on."""
    other: VideoSource = "screen" if source == "camera" else "camera"
    if call.shown_at_s(source) is None and call.shown_at_s(other) is not None:
        return other
    return source


def error(text: str) -> Result:
    """The tool result that reports a failure to the model."""
    return {"error": text}
