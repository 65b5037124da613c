"""The background jobs that tools start in a call: watches and reminders.

A job outlives the turn that started it, and any interruption of that turn, and ends with the call.
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
    """The maximum number of jobs of one kind is running; the text lists them."""


@dataclass(frozen=True, slots=True)
class Job:
    """One background job.

    Attributes:
        id: Unique in the call, for example ``watch-1``.
        kind: The kind of job: ``watch`` or ``reminder``.
        what: What the job is about, for people.
    """

    id: str
    kind: str
    what: str


class Jobs:
    """The jobs of one call.

    Args:
        failed: Called with each job that has failed.
    """

    def __init__(self, failed: Callable[[Job], None]) -> None:
        self._failed = failed
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._next = 1

    def start(self, kind: str, what: str, work: Coroutine[Any, Any, None]) -> Job:
        """Starts a job.

        Raises:
            TooMany: `MAX_OF_A_KIND` jobs of this kind are running.
        """
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
        """The jobs of one kind that are running, oldest first."""
        return [job for job in self._tasks if job.kind == kind]

    async def stop(self, kind: str, about: str = "") -> list[Job]:
        """Ends the jobs of one kind whose `what` contains `about`; all of them if that is empty."""
        stopped = [job for job in self.running(kind) if about.lower() in job.what.lower()]
        await self._cancel([self._tasks[job] for job in stopped])
        return stopped

    async def close(self) -> None:
        """Ends all jobs and waits until they have ended."""
        await self._cancel(list(self._tasks.values()))

    @staticmethod
    async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.pop(job, None)
        work.close()  # for a job that was cancelled before its first step

    async def _run(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # A bug here, or a camera frame that OpenCV can't read: the call continues.
            logger.exception("%s failed", job.id)
            self._failed(job)
