"""The tasks of one call: watched while they run, ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from vision_agent.live.errors import cause_of

logger = logging.getLogger(__name__)


class CallTasks:
    """Runs a call's tasks.

    Args:
        call_id: Stands in the tasks' names and in the log.
        on_failure: Called with the name of a task that has failed.
    """

    def __init__(self, call_id: str, on_failure: Callable[[str], None]) -> None:
        self._call_id = call_id
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start a task; without effect after `refuse`, when nobody would end it."""
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(self._watched(work, name), name=f"{name}-{self._call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refuse(self) -> None:
        """Start no more tasks."""
        self._closed = True

    async def cancel(self) -> None:
        """Cancel all tasks, and wait until they are done."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            # The exception's text is not logged: it may hold what was said.
            logger.error("call %s: %s failed: %s", self._call_id, name, cause_of(error))
            self._on_failure(name)
