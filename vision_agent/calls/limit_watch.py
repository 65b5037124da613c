"""Looks every second whether a call has reached one of its limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.limits import CallLimits
from vision_agent.calls.server_messages import NoticeMessage, NoticeOverMessage
from vision_agent.calls.verdicts import EndsNow, EndsSoon, GoesOn

CHECK_S = 1.0


async def watch_limits(
    limits: CallLimits,
    view: CallerView,
    each_time: Callable[[], None],
    end: Callable[[str], None],
) -> None:
    """Tell the caller of limits that come near, and end the call at one.

    Args:
        limits: The call's.
        view: The caller's client.
        each_time: Called at each look.
        end: Ends the call, with the reason.
    """
    while True:
        await asyncio.sleep(CHECK_S)
        each_time()
        for verdict in limits.check(time.monotonic()):
            match verdict:
                case EndsSoon(about, left_s, text):
                    view.show(NoticeMessage(about, round(left_s), text))
                case GoesOn(about):
                    view.show(NoticeOverMessage(about))
                case EndsNow(reason, error):
                    if error:
                        view.channel.error(error, fatal=True)
                    end(reason)
                    return
