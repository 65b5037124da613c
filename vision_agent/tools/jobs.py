"""What tools have going on in the background of a call: watches and reminders.

They outlive the turn that began them, and any interruption of it, and end with the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

MAX_OF_A_KIND = 5


class TooMany(RuntimeError):
    """So many jobs of one kind are under way that no more are taken; the text says which."""


@dataclass(frozen=True, slots=True)
class Job:
    """One of them.

    Attributes:
        id: Unique in the call, as ``watch-1``.
        kind: Which tool's it is.
        what: For people: what it is about.
    """

    id: str
    kind: str
    what: str


class Jobs:
    """The jobs of one call.

    Args:
        failed: Is told of a job that broke down.
    """

    def __init__(self, failed: Callable[[Job], None]) -> None:
        self._failed = failed
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._next = 1

    def start(self, kind: str, what: str, work: Coroutine[Any, Any, None]) -> Job:
        """Begins one; `TooMany` if there is no room for it."""
        running = self.running(kind)
        if len(running) >= MAX_OF_A_KIND:
            work.close()
            names = "; ".join(job.what for job in running)
            raise TooMany(f"{MAX_OF_A_KIND} are under way already, which is the most: {names}.")
        job = Job(f"{kind}-{self._next}", kind, what)
        self._next += 1
        task = asyncio.create_task(self._run(job, work), name=job.id)
        self._tasks[job] = task
        task.add_done_callback(lambda _: self._ended(job, work))
        return job

    def running(self, kind: str) -> list[Job]:
        """Those of one kind that are under way, oldest first."""
        return [job for job in self._tasks if job.kind == kind]

    async def stop(self, kind: str, about: str = "") -> list[Job]:
        """Ends those of a kind whose words contain `about`: all of them if it is empty."""
        stopped = [job for job in self.running(kind) if about.lower() in job.what.lower()]
        await self._cancel([self._tasks[job] for job in stopped])
        return stopped

    async def close(self) -> None:
        """Ends them all and waits until they have ended."""
        await self._cancel(list(self._tasks.values()))

    @staticmethod
    async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.pop(job, None)
        work.close()  # if it was stopped before it began

    async def _run(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # A bug of ours, or a camera's picture that OpenCV can't read: the call goes on.
            logger.exception("%s failed", job.id)
            self._failed(job)
