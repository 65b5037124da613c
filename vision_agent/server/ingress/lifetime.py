"""Starts what the application needs: the agents, the local Live API, the calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Literal

from vision_agent.calls.refusal import Refusal

logger = logging.getLogger(__name__)

START_WAIT_S = 12.0
"""How long a request waits for the start; the page gives up a request after 15 s."""

RETRY_AFTER_S = 5
TRY_AGAIN_S = 10.0
"""The pause after a failed start before the next attempt."""


class Lifetime:
    """Runs a context once: within the ASGI lifespan, or else from the first request that needs it.

    Starlette does not run the lifespan of an application that is mounted in another one. Then the
    first call waits for the start, and the context ends with the event loop.

    Args:
        running: Starts everything on entry, ends it on exit.
    """

    def __init__(self, running: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._running = running
        self._state: Literal["new", "starting", "running", "stopped"] = "new"
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._failed_at_s = float("-inf")
        self._failure = ""

    @property
    def problem(self) -> str | None:
        """Why no calls can be answered, as a sentence; None while everything runs."""
        if self._state == "running":
            return None
        if self._failure:
            return self._failure
        if self._state == "stopped":
            return "The server is stopping."
        return "The agent is starting. Try again shortly."

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """The application's ASGI lifespan."""
        if self._task is not None:
            # An earlier request may have started everything already; the lifespan still ends it.
            await self.ready()
            try:
                yield
            finally:
                await self._end()
            return
        if self._state in ("starting", "running"):
            yield  # it runs within another lifespan, which holds this one
            return
        self._state = "starting"
        try:
            async with self._running():
                self._state = "running"
                yield
        finally:
            self._state = "stopped"

    def begin(self) -> None:
        """Start everything, unless it runs or has just failed to start."""
        loop = asyncio.get_running_loop()
        if self._state != "new" or loop.time() < self._failed_at_s + TRY_AGAIN_S:
            return
        self._state, self._failure = "starting", ""
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name="vision_agent")

    async def ready(self) -> None:
        """A dependency: wait until everything runs; `Refusal` 503 if it does not."""
        if self._state == "running":
            return
        self.begin()
        if self._state == "starting" and self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), START_WAIT_S)
        if problem := self.problem:
            raise Refusal(503, problem, {"Retry-After": str(RETRY_AFTER_S)})

    async def _keep(self) -> None:
        try:
            async with self._running():
                self._state = "running"
                self._changed.set()
                await asyncio.Event().wait()
        except Exception as error:
            logger.error("The agent could not be started: %s", error, exc_info=error)
            self._failure = f"The agent could not be started: {error}"
            self._failed_at_s = asyncio.get_running_loop().time()
        finally:
            self._state, self._task = "new", None
            self._changed.set()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._state = "stopped"
