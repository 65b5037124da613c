"""Tells a program around the server what happens in calls; no call waits for it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from vision_agent.calls.events import CallEvent
from vision_agent.live.errors import cause_of
from vision_agent.live.tools.threads import ToolThreads

logger = logging.getLogger(__name__)

MAX_WAITING = 1_000
"""Events that wait for a listener; of more, the oldest are dropped."""

MAX_LISTENING_S = 10.0
"""A listener that takes longer for one event is not waited for."""

CLOSE_WITHIN_S = 2.0
"""How long the end of the server waits for events that are not told yet."""

OnEvent = Callable[[CallEvent], Awaitable[None] | None]
"""A listener: a function, or a coroutine function. It is told one event after the other."""


class EventQueue:
    """Tells a listener of events, in order, without any call waiting for it.

    A function runs in a thread of its own, so that one that blocks delays the next events only. A
    failure is logged once.

    Args:
        listener: The listener; None for none.
    """

    def __init__(self, listener: OnEvent | None) -> None:
        self._listener = listener
        self._is_coroutine = inspect.iscoroutinefunction(listener) or inspect.iscoroutinefunction(
            type(listener).__call__
        )
        self._thread = ToolThreads(max_threads=1, max_waiting=1)
        self._waiting: deque[CallEvent] = deque()
        self._telling: asyncio.Task[None] | None = None
        self._failed = self._dropping = False
        self.dropped = 0
        self.failures = 0

    @property
    def listens(self) -> bool:
        """Whether there is a listener."""
        return self._listener is not None

    def put(self, event: CallEvent) -> None:
        """Tell of an event, soon."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
            if not self._dropping:
                self._dropping = True
                logger.error("on_event is too slow: the oldest events are dropped.")
        self._waiting.append(event)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="on_event")

    async def close(self) -> None:
        """Wait a moment for the events that are not told yet."""
        if self._telling is not None and not self._telling.done():
            await asyncio.wait([self._telling], timeout=CLOSE_WITHIN_S)
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            try:
                async with asyncio.timeout(MAX_LISTENING_S):
                    await self._told(event)
            except TimeoutError:
                self._fail(f"took more than {MAX_LISTENING_S:g} s and was given up")
            except Exception as error:  # of the program around us: no call may end by it
                self._fail(f"failed: {cause_of(error)}", error)

    async def _told(self, event: CallEvent) -> None:
        assert self._listener is not None
        if self._is_coroutine:
            told = self._listener(event)
        else:
            told = await asyncio.wrap_future(self._thread.submit(self._listener, event))
        if inspect.isawaitable(told):
            await told

    def _fail(self, how: str, error: Exception | None = None) -> None:
        self.failures += 1
        if not self._failed:
            self._failed = True
            logger.error("on_event %s. Further failures are not logged.", how, exc_info=error)
