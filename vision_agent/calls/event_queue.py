"""Passes the events of calls to a program around the server; no call waits for it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from vision_agent.calls.events import CallEvent
from vision_agent.live.errors import cause_of
from vision_agent.live.foreign_code import contained
from vision_agent.live.tools.loop_blocking import timed
from vision_agent.live.tools.threads import ToolThreads

logger = logging.getLogger(__name__)

MAX_WAITING = 1_000
"""Events that wait for a listener; beyond it the oldest are dropped."""

MAX_LISTENING_S = 10.0
"""A coroutine that takes longer for one event is cancelled. A thread can't be: it is waited for."""

MAX_BLOCKING_S = 0.1
"""A coroutine that holds the event loop for longer is named in the log: every call stands still."""

CLOSE_WITHIN_S = 2.0
"""How long the end of the server waits for events that were not delivered yet."""

OnEvent = Callable[[CallEvent], Awaitable[None] | None]
"""A listener: a function, or a coroutine function. It gets one event after the other."""


class EventQueue:
    """Delivers events to a listener, in order, without any call waiting for it.

    A function runs in a thread of its own. One that blocks delays the next events; none is lost
    until `MAX_WAITING` wait. Each kind of failure is logged once and counted.

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
        self._logged: set[str] = set()
        self._counts = {"told": 0, "dropped": 0, "failed": 0}

    @property
    def listens(self) -> bool:
        """Whether there is a listener."""
        return self._listener is not None

    def counts(self) -> dict[str, int]:
        """Events that were delivered, wait, were dropped, or made the listener fail."""
        return {**self._counts, "waiting": len(self._waiting)}

    def put(self, event: CallEvent) -> None:
        """Queue an event."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._counts["dropped"] += 1
            self._log_once(f"is too slow: {MAX_WAITING} events wait, and the oldest are dropped")
        self._waiting.append(event)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="on_event")

    async def close(self) -> None:
        """Wait a moment for the events that were not delivered yet."""
        if self._telling is None or self._telling.done():
            return
        await asyncio.wait([self._telling], timeout=CLOSE_WITHIN_S)
        self._telling.cancel()
        if self._waiting:
            self._counts["dropped"] += len(self._waiting)
            self._log_once(f"was not told of the last {len(self._waiting)} events: it is too slow")
            self._waiting.clear()

    async def _tell(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            try:
                with contained():
                    await self._told(event)
            except TimeoutError:
                self._fail(f"took more than {MAX_LISTENING_S:g} s and was given up")
            except Exception as error:  # of the program around us: no call may end by it
                # Not the error itself, whose text may hold the words of the event.
                self._fail(f"failed: {cause_of(error)}")
            else:
                self._counts["told"] += 1

    async def _told(self, event: CallEvent) -> None:
        assert self._listener is not None
        listener = self._listener
        if self._is_coroutine:
            told = listener(event)
        else:
            slow = asyncio.get_running_loop().call_later(
                MAX_LISTENING_S,
                self._log_once,
                f"has taken more than {MAX_LISTENING_S:g} s for one event: the next ones wait",
            )
            try:
                told = await asyncio.wrap_future(self._thread.submit(listener, event))
            finally:
                slow.cancel()
        if inspect.isawaitable(told):
            async with asyncio.timeout(MAX_LISTENING_S):
                await (timed(told, self._stepped) if inspect.iscoroutine(told) else told)

    def _stepped(self, seconds: float) -> None:
        if seconds > MAX_BLOCKING_S:
            self._log_once(
                f"has blocked the event loop for {seconds:.1f} s, and with it every call: make it "
                "a plain function, which runs in a thread, or await what it waits for",
                "blocks",
            )

    def _fail(self, how: str) -> None:
        self._counts["failed"] += 1
        self._log_once(f"{how}. Further failures are not logged", "failed")

    def _log_once(self, what: str, kind: str = "") -> None:
        if (kind or what) not in self._logged:
            self._logged.add(kind or what)
            logger.error("on_event %s.", what)
