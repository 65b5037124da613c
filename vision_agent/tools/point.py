"""`point_at`: draws boxes on the caller's own video, or on their shared screen."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field

from vision_agent.tools.boxes import BadBox, Box2d, check_box
from vision_agent.tools.call_context import (
    OFF,
    CallContext,
    Result,
    SourceArgument,
    error,
    in_call,
)

SHOWN_S = 10.0
MAX_LABEL_CHARS = 60

_ids = itertools.count(1)


async def point_at(
    label: Annotated[str, Field(description="What is there, in one to four words")],
    box_2d: Box2d,
    source: SourceArgument = "camera",
) -> Result:
    """Point at something: draw a labelled box around it on the caller's own picture.

    Use it when the caller asks where something is, or which one you mean. Call it once for each
    thing. The box stays for ten seconds and follows the thing while the camera moves.
    """

    async def work(call: CallContext) -> Result:
        try:
            box = check_box(box_2d)
        except BadBox as bad:
            return error(str(bad))
        shown_at_s = call.shown_at_s(source)
        if shown_at_s is None:
            return error(f"There is no picture to point at: {OFF[source]}.")
        name = " ".join(label.split())[:MAX_LABEL_CHARS]
        point = f"point-{next(_ids)}"
        call.show_point(point, name, box, shown_at_s=shown_at_s, seconds=SHOWN_S, source=source)
        where = " on their screen" if source == "screen" else ""
        return {"status": f"The caller sees a box around {name}{where}."}

    return await in_call(work)


async def clear_points() -> Result:
    """Remove all boxes that point_at has drawn."""

    async def work(call: CallContext) -> Result:
        call.clear_points()
        return {"status": "No boxes are shown any more."}

    return await in_call(work)
