"""Gives freed memory back to the system now and then.

glibc keeps what was freed between blocks that are still in use. Every connection that is made again
brings buffers of a quarter of a megabyte, so a server grows by some megabytes in its first half
hour, of which little is in use.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EVERY_S = 60.0
"""So often there is little to give back, and that takes a millisecond or two."""


def give_back() -> bool:
    """Returns whether there was anything; never there is where the C library is not glibc."""
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim and trim(0))


@asynccontextmanager
async def given_back(every_s: float = EVERY_S) -> AsyncIterator[None]:
    """At once, while nobody is waiting, and then again and again while the context lasts."""
    await asyncio.to_thread(give_back)
    giving = asyncio.create_task(_forever(every_s), name="give freed memory back")
    try:
        yield
    finally:
        giving.cancel()
        await asyncio.wait([giving])


async def _forever(every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        # In a thread: the first pages of a long call may take longer than a frame of sound.
        await asyncio.to_thread(give_back)
