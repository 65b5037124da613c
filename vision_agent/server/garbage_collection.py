"""Frees memory without interrupting a voice: garbage collection, and `malloc_trim`.

A pass of the garbage collector stops every call. ADK and its dependencies are a million objects
that are never freed: a full pass takes half a second with them and some 25 ms without.

glibc keeps freed memory between blocks that are still in use. Every new connection brings buffers
of a quarter of a megabyte, so a server grows by some megabytes in its first half hour, most of them
unused.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vision_agent.malloc_trim import trim

EVERY_S = 60.0
"""The interval between trims. After this time a trim takes a millisecond or two."""


COLLECT_AFTER_S = 0.5
"""How long after the end of a call its objects are collected; its closing task holds them."""

COLLECT_EVERY_S = 30.0
"""The shortest time between two collections during calls, however many calls end."""

COLLECT_IDLE_EVERY_S = 2.0
"""The shortest time between two collections while there is no call to interrupt."""


def freeze_objects() -> None:
    """Exempt every object that exists now from garbage collection; for the end of the start-up.

    Garbage is collected first, such as that of an earlier application of the process. What is
    exempt already stays so: a pass over it takes a quarter of a second, in a process that starts
    several applications or was forked from one that had imported the modules.
    """
    gc.collect()
    gc.freeze()


class Collector:
    """Collects the garbage that calls leave; during other calls at most once in `COLLECT_EVERY_S`.

    A call's objects, and what ADK and websockets leave, form reference cycles that hold frames and
    decoders: some 1,000 objects and 2 MB, which Python by itself would collect much later. What the
    last call leaves goes back to the system at once; a trim between calls comes when it is due.
    """

    def __init__(self) -> None:
        self._pending: asyncio.TimerHandle | None = None
        self._again = self._idle = False
        self._collected_at_s = -COLLECT_EVERY_S

    def soon(self, *, idle: bool) -> None:
        """Notes that a call has left garbage.

        Args:
            idle: Whether no other call is in progress.
        """
        # On a busy machine the closing task may hold the last call's objects a little longer.
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
        """Collect nothing more."""
        if self._pending is not None:
            self._pending.cancel()

    def _collect(self) -> None:
        loop = asyncio.get_running_loop()
        self._collected_at_s = loop.time()
        gc.collect()
        self._pending = None
        if self._again:
            self._again, self._idle = False, True
            self._pending = loop.call_later(COLLECT_IDLE_EVERY_S, self._collect)
        elif self._idle:
            self._idle = False
            loop.run_in_executor(None, trim)


@asynccontextmanager
async def trimming(every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Trim once on entry, while no caller waits, and then repeatedly while the context lasts."""
    await asyncio.to_thread(trim)
    trims = asyncio.create_task(_forever(every_s), name="malloc-trim")
    try:
        yield
    finally:
        trims.cancel()
        await asyncio.wait([trims])


async def _forever(every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        # In a thread: trimming after a long call may take longer than one 20 ms packet of sound.
        await asyncio.to_thread(trim)
