"""Drains on SIGTERM before the process ends, whichever ASGI server runs the application."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import ClassVar

logger = logging.getLogger(__name__)


class Termination:
    """Handles SIGTERM before the handler that is installed already.

    The first SIGTERM starts draining. When that is done, or at the next SIGTERM, the original
    handler gets the signal. So the ASGI server keeps listening meanwhile, and new calls are refused
    in words. Several instances in one process drain at the same time, and the last one to finish
    passes the signal on.

    Args:
        drain: Lets the calls in progress finish.
    """

    _taking: ClassVar[list[Termination]] = []

    def __init__(self, drain: Callable[[], Coroutine[None, None, None]]) -> None:
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: Callable[[int, FrameType | None], object] | int | None = None
        self._draining: asyncio.Task[None] | None = None
        self._received = 0

    @property
    def restarting(self) -> bool:
        """Whether one SIGTERM ends the process: callers may come back to its successor."""
        return self._received == 1

    def install(self) -> None:
        """Take SIGTERM; without effect outside the main thread, where Python forbids handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        if self._taking:
            self._before = self._taking[0]._before
        else:
            self._before = signal.getsignal(signal.SIGTERM)
            signal.signal(signal.SIGTERM, _on_signal)
        self._taking.append(self)

    async def remove(self) -> None:
        """Stop draining; the last one restores the original handler."""
        if self in self._taking:
            self._taking.remove(self)
            if not self._taking and signal.getsignal(signal.SIGTERM) is _on_signal:
                signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)

    @classmethod
    def take(cls) -> None:
        """Take one SIGTERM."""
        # A signal handler may run between any two instructions, so the event loop does the rest.
        for each in cls._taking:
            assert each._loop is not None
            each._loop.call_soon_threadsafe(each._receive)

    def _receive(self) -> None:
        self._received += 1
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="drain")
            self._draining.add_done_callback(self._drained)
        else:
            self._pass_on()

    def _drained(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if error := task.exception():
            logger.error("draining failed", exc_info=error)
        if all(each._draining and each._draining.done() for each in self._taking):
            self._pass_on()

    def _pass_on(self) -> None:
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        elif self._before == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)


def _on_signal(number: int, frame: FrameType | None) -> None:
    Termination.take()
