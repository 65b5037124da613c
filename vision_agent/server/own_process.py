"""Tunes a process that only answers calls; another program's process stays as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vision_agent.server.garbage_collection import Collector, freeze_objects, trimming
from vision_agent.server.ingress.descriptors import log_shortage_once, raise_limit


class OwnProcess:
    """Tunes the garbage collector, the C library's memory and the limit of open files."""

    def __init__(self) -> None:
        self._collector = Collector()

    def garbage(self, idle: bool) -> None:
        """Note that a call has left objects to collect.

        Args:
            idle: Whether no other call is in progress.
        """
        self._collector.soon(idle=idle)

    @asynccontextmanager
    async def tuned(self) -> AsyncIterator[None]:
        """Tune the process within the context, after everything has been loaded."""
        raise_limit()
        freeze_objects()
        try:
            with log_shortage_once(asyncio.get_running_loop()):
                async with trimming():
                    yield
        finally:
            self._collector.close()
