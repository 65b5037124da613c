"""The call that a tool runs in, as far as tools need it.

The call enters its `CallScope` before it starts ADK. The tasks that ADK starts inherit it, and so
do its thread pools, which run asynchronous tools on event loops of their own: therefore `in_call`
brings every tool's work back to the call's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from vision_agent import call_scope
from vision_agent.tools.jobs import Jobs

Pixels = npt.NDArray[np.uint8]
"""BGR, ``(height, width, 3)``."""

Result = dict[str, Any]
"""What a tool tells the model."""

NO_CALL = "This tool works only in a video call, and there is none here."


class Picture(Protocol):
    """One picture of the caller's camera, as it came.

    Attributes:
        captured_at_s: When it arrived, on the call's clock.
        width: pixels.
        height: pixels.
    """

    captured_at_s: float
    width: int
    height: int

    def pixels(self, max_px: int) -> Pixels:
        """The picture, at most so large on its longer side. Blocks for milliseconds."""


class CallContext(Protocol):
    """One call. Used on its own event loop only.

    Attributes:
        loop: The call's event loop.
        jobs: What goes on in the background; ends with the call.
    """

    loop: asyncio.AbstractEventLoop
    jobs: Jobs

    def now_s(self) -> float:
        """The call's clock (monotonic)."""

    async def next_picture(self, newer_than_s: float, timeout_s: float) -> Picture | None:
        """The first picture captured after that time; None if the camera sends none in time."""

    async def full_picture(self) -> Picture | None:
        """A fresh picture, in the camera's full resolution if the caller can send it."""

    def shown_at_s(self) -> float | None:
        """When the picture was captured that the model has last seen (or one just like it)."""

    def show_model(self, jpeg: bytes) -> None:
        """Puts a picture before the model; it comes ahead of the tool's result."""

    def tell_agent(self, notice: str) -> None:
        """Makes the agent speak unasked, as soon as nobody is speaking.

        Args:
            notice: One or two sentences, as they might be said to the caller.
        """

    def show_page(self, message: Mapping[str, object]) -> None:
        """Sends a server message of one's own to the caller's client: ``{"kind": ...}``."""

    def show_point(
        self, id: str, label: str, box_2d: Sequence[int], *, shown_at_s: float, seconds: float
    ) -> None:
        """Draws a labelled box on the caller's own picture.

        Args:
            id: Identifies the box.
            label: What is there.
            box_2d: `[top, left, bottom, right]`, 0 to 1000.
            shown_at_s: When the frame was captured that the box is about, on the call's clock.
            seconds: How long the box stays.
        """

    def clear_points(self) -> None:
        """Removes all boxes."""


async def in_call(work: Callable[[CallContext], Coroutine[Any, Any, Result]]) -> Result:
    """Does a tool's work on the loop of the call it runs in.

    Args:
        work: Given the call, does it, and returns what to tell the model.

    Returns:
        That, or an error in words if there is no call.
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


def error(text: str) -> Result:
    """A failure, as the model is told it."""
    return {"error": text}
