"""Frees memory without holding up a voice: garbage collection, and what goes back to the system.

A pass of the garbage collector stops every call. ADK and what it brings are a million objects that
never go: with them a full pass takes half a second, without them some 25 ms.

glibc keeps what was freed between blocks that are still in use. Every connection that is made again
brings buffers of a quarter of a megabyte, so a server grows by some megabytes in its first half
hour, of which little is in use.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EVERY_S = 60.0
"""So often there is little to give back, and that takes a millisecond or two."""


COLLECT_AFTER_S = 0.5
"""How long after the end of a call its objects are collected: the closing task holds them."""

COLLECT_EVERY_S = 30.0
"""Between two collections during calls lies at least so much, however many calls end."""

COLLECT_IDLE_EVERY_S = 2.0
"""The same while there is no call that a collection could hold up."""


def leave_out_of_collection() -> None:
    """Take every object that exists now out of the garbage collector's passes.

    For the end of the start-up. What an earlier application of the process left is collected.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Collector:
    """Collects the garbage that calls leave; during other calls at most once in `COLLECT_EVERY_S`.

    A call's objects, aiortc's above all, refer to each other in circles, with pictures and decoders
    hanging on them: some 10 MB, and decoders' threads, that Python would get round to much later.
    """

    def __init__(self) -> None:
        self._pending: asyncio.TimerHandle | None = None
        self._again = False
        self._collected_at_s = -COLLECT_EVERY_S

    def soon(self, *, idle: bool) -> None:
        """A call has left garbage.

        Args:
            idle: Whether no other call is in progress.
        """
        # On a busy machine the closing task may hold the objects of the last call a little longer.
        self._again = idle
        loop = asyncio.get_running_loop()
        between_s = COLLECT_IDLE_EVERY_S if idle else COLLECT_EVERY_S
        due_s = max(loop.time() + COLLECT_AFTER_S, self._collected_at_s + between_s)
        if self._pending is not None:
            if self._pending.when() <= due_s:
                return
            self._pending.cancel()
        self._pending = loop.call_at(due_s, self._collect)

    def close(self) -> None:
        """Nothing is collected any more."""
        if self._pending is not None:
            self._pending.cancel()

    def _collect(self) -> None:
        loop = asyncio.get_running_loop()
        self._collected_at_s = loop.time()
        gc.collect()
        self._pending = (
            loop.call_later(COLLECT_IDLE_EVERY_S, self._collect) if self._again else None
        )
        self._again = False


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
