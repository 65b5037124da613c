"""Pictures that a caller sends into the call, in parts on the data channel.

The data channel keeps the order, so a picture is there before the question about it. A part fits
into a message; what is sent at once, how large it is and how often it comes is bounded.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vision_agent.calls.picture_file import NotAPicture, read_picture
from vision_agent.live.shown import Shown
from vision_agent.rtc import rtvi
from vision_agent.rtc.budget import Budget

MAX_PART_CHARS = 48_000
MAX_PARTS = 24
"""Some 860 kB: a page sends a third of that."""

MAX_NAME_CHARS = 80
BURST, PER_S = 8, 0.2


@dataclass(slots=True)
class _Arriving:
    """A picture of which parts are still to come."""

    id: str
    name: str
    parts: int
    data: list[bytes] = field(default_factory=list)


class SentPictures:
    """Puts the parts of one picture at a time together, and reads it off the event loop.

    Args:
        show: Called with each picture that could be read; returns an earlier one that the next
            question is no longer about, for want of room.
    """

    def __init__(self, show: Callable[[Shown], Shown | None]) -> None:
        self._show = show
        self._arriving: _Arriving | None = None
        self._reading: asyncio.Task[dict[str, object]] | None = None
        self._budget = Budget(PER_S, BURST)

    def take(self, data: object) -> asyncio.Task[dict[str, object]] | dict[str, object]:
        """Take a part: `{"id", "name", "part", "parts", "data"}`, `data` in base64.

        Returns:
            `{"received": part}`; for the last part a task whose result is the picture's `width` and
            `height` (and `left_out`, the name of an earlier picture that the next question is no
            longer about), and which raises `BadMessage`.

        Raises:
            rtvi.BadMessage: It is not what is expected; the picture has to be sent again.
        """
        arriving, self._arriving = self._arriving, None
        part, piece, this = _parsed(data)
        if part == 0:
            if not self._budget.take(time.monotonic()):
                raise rtvi.BadMessage("Pictures come too fast: wait a few seconds.")
            arriving = this
        if arriving is None or arriving.id != this.id or len(arriving.data) != part:
            raise rtvi.BadMessage("A part of the picture is missing: send it again.")
        arriving.data.append(piece)
        if part + 1 < arriving.parts:
            self._arriving = arriving
            return {"received": part}
        if self._reading is not None and not self._reading.done():
            raise rtvi.BadMessage("The picture before this one is still being read: wait a moment.")
        self._reading = asyncio.create_task(self._read(arriving), name="sent-picture")
        return self._reading

    def after(self, then: Callable[[], None]) -> None:
        """Call a function when the current picture has been read; at once if there is none."""
        if self._reading is None or self._reading.done():
            then()
        else:
            self._reading.add_done_callback(lambda _: then())

    async def close(self) -> None:
        """Give up what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self, picture: _Arriving) -> dict[str, object]:
        try:
            read = asyncio.to_thread(read_picture, b"".join(picture.data))
            jpeg, width, height = await read
        except NotAPicture as error:
            raise rtvi.BadMessage(str(error)) from None
        left_out = self._show(Shown(jpeg, "picture", picture.name))
        size: dict[str, object] = {"width": width, "height": height}
        return size if left_out is None else size | {"left_out": left_out.name}


def _parsed(data: object) -> tuple[int, bytes, _Arriving]:
    given = data if isinstance(data, dict) else {}
    part, parts, text = given.get("part"), given.get("parts"), given.get("data")
    name, picture = given.get("name", ""), given.get("id", "")
    if not (isinstance(part, int) and isinstance(parts, int) and isinstance(text, str)):
        raise rtvi.BadMessage("A picture needs part, parts and data (base64).")
    if not 0 <= part < parts <= MAX_PARTS or len(text) > MAX_PART_CHARS:
        raise rtvi.BadMessage(
            f"The picture is too large: at most {MAX_PARTS} parts of {MAX_PART_CHARS} characters "
            "are taken. Shrink it."
        )
    try:
        piece = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise rtvi.BadMessage("The picture's data is not base64.") from None
    words = " ".join(str(name).split()) if isinstance(name, str) else ""
    plain = "".join(char for char in words if char.isprintable())[:MAX_NAME_CHARS]
    return part, piece, _Arriving(str(picture)[:MAX_NAME_CHARS], plain, parts)
