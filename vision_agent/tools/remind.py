"""`remind_me`: the agent speaks after a given time."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field

from vision_agent.tools.call_context import CallContext, Result, error, in_call
from vision_agent.tools.jobs import TooMany

KIND = "reminder"
LONGEST_S = 4 * 3600.0
MAX_TEXT_CHARS = 300


async def remind_me(
    text: Annotated[str, Field(description="What to remind the caller of")],
    seconds: Annotated[
        float, Field(description="In how many seconds; 60 for a minute", ge=1, le=LONGEST_S)
    ],
) -> Result:
    """Remind the caller of something later in this call, after some seconds.

    You will be told when it is time, and then tell the caller.
    """

    async def work(call: CallContext) -> Result:
        what = " ".join(text.split())[:MAX_TEXT_CHARS]
        if not what:
            return error("Say what to remind the caller of.")
        if not 1 <= seconds <= LONGEST_S:
            return error(
                f"A reminder comes at most {spoken_time(LONGEST_S)} ahead, and at least 1 second."
            )

        async def wait() -> None:
            await asyncio.sleep(seconds)
            call.tell_agent(f"Here is your reminder: {what}.")

        try:
            call.jobs.start(KIND, what, wait())
        except TooMany as many:
            return error(str(many))
        return {"status": f"The caller will be reminded in {spoken_time(seconds)}.", "text": what}

    return await in_call(work)


async def cancel_reminders(
    about: Annotated[str, Field(description="Words of the reminder; leave out for all")] = "",
) -> Result:
    """Cancel the reminders that remind_me has set, all of them or those with some words."""

    async def work(call: CallContext) -> Result:
        stopped = await call.jobs.stop(KIND, about)
        return {"cancelled": [job.what for job in stopped]}

    return await in_call(work)


def spoken_time(seconds: float) -> str:
    """A duration in words: ``90`` → ``1 minute and 30 seconds``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{count} {unit}{'s' if count != 1 else ''}"
        for count, unit in ((hours, "hour"), (minutes, "minute"), (rest, "second"))
        if count
    ]
    return " and ".join(parts) or "a moment"
