"""`watch_for`: watches the call's camera frames, and makes the agent speak when an event happens.

The call has decoded the frames already, and they cost no tokens. Detectors find things of 81
kinds, and otherwise only what OpenCV or rapidocr can recognise. The model, which knows what things
are, is asked to look once the detector has found an event.
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, get_args

from pydantic import Field

from vision_agent.detection.kinds import kind_in
from vision_agent.tools.call_context import CallContext, Result, error, in_call
from vision_agent.tools.detectors import LOOK_AT_PX, Detector, Kind, detector_for, kind_of
from vision_agent.tools.jobs import TooMany
from vision_agent.tools.remind import spoken_time
from vision_agent.weights_file import WeightsError

KIND = "watch"
SHORTEST_S, LONGEST_S = 5.0, 3600.0
MAX_WHAT_CHARS = 120
NO_FRAME_S = 5.0


async def watch_for(
    what: Annotated[str, Field(description="What to watch for, e.g. 'a cup on the table'")],
    kind: Annotated[
        Kind,
        Field(
            description="What may happen to it: something appears, disappears, moves or changes "
            "anyhow; or a face, a code (QR or barcode) or printed text comes into view"
        ),
    ] = "changes",
    seconds: Annotated[float, Field(description="How long to watch at most")] = 300,
) -> Result:
    """Watch the caller's camera and be told when something happens, so that you can say so.

    Use it when the caller asks to be told once something appears, disappears, moves or changes,
    or a face, code or text comes into view. It watches in the background and ends once it has
    happened.
    """

    async def work(call: CallContext) -> Result:
        subject = subject_of(what)
        lasts_s = min(LONGEST_S, max(SHORTEST_S, seconds))
        if call.shown_at_s() is None:
            return error("There is nothing to watch: the caller's camera is off.")
        try:
            detector = await asyncio.to_thread(detector_for, kind, subject)
        except WeightsError as missing:
            return error(f"Nothing can be watched for in that way: {missing}")
        try:
            call.jobs.start(KIND, subject, _watch(call, detector, subject, lasts_s))
        except TooMany as many:
            return error(str(many))
        return {"status": promise(kind, subject, lasts_s), "what": subject}

    return await in_call(work)


async def stop_watching(
    what: Annotated[
        str, Field(description="Words of what was watched for; leave out for all")
    ] = "",
) -> Result:
    """Stop watching for what watch_for was told to watch for, or for all of it."""

    async def work(call: CallContext) -> Result:
        stopped = await call.jobs.stop(KIND, what)
        return {"stopped": [job.what for job in stopped]}

    return await in_call(work)


def subject_of(what: str) -> str:
    """The subject of a wish, without the event: "a cat appears" → "a cat"."""
    words = " ".join(what.split())[:MAX_WHAT_CHARS]
    happens = "|".join((*get_args(Kind)[:4], "happens", "comes", "goes"))
    return re.sub(rf"[ ,]*\b({happens})[.!]?$", "", words, flags=re.IGNORECASE) or "anything"


def promise(kind: Kind, what: str, lasts_s: float) -> str:
    """States the event that is really detected: a detector knows changes, not doors or colours."""
    kind, thing = kind_of(kind, what), kind_in(what)
    event = {
        "changes": "something in the picture changes",
        "appears": f"{thing.with_article if thing else 'something'} comes into the picture",
        "disappears": f"{f'the {thing.noun}' if thing else 'something'} goes from the picture",
        "moves": "something moves",
        "face": "a face comes into view",
        "code": "a QR code or a barcode comes into view",
        "text": "printed text comes into view",
    }[kind]
    return f"The caller will be told when {event}, for {spoken_time(lasts_s)} at most."


async def _watch(call: CallContext, detector: Detector, what: str, lasts_s: float) -> None:
    ends_s = call.now_s() + lasts_s
    seen_s = call.now_s()
    while (now_s := call.now_s()) < ends_s:
        frame = await call.next_frame(seen_s, min(NO_FRAME_S, ends_s - now_s))
        if frame is None:
            continue  # the camera is off, perhaps for a while
        seen_s = frame.captured_at_s
        pixels = await asyncio.to_thread(frame.pixels, LOOK_AT_PX)
        found = await asyncio.to_thread(detector.look, pixels)
        if found:
            asked = "" if detector.names_it else f" You asked me to watch for {what}."
            call.tell_agent(f"{found}{asked}")
            return
        # The next look takes the newest frame; the frames that arrive meanwhile are skipped.
        await asyncio.sleep(detector.pause_s)
    call.tell_agent(f"I have watched for {what} for {spoken_time(lasts_s)}, and saw nothing.")
