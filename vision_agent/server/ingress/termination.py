"""Drains on SIGTERM before the process ends, whichever ASGI server runs the application."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType

logger = logging.getLogger(__name__)


class Termination:
    """Takes SIGTERM before the handler that is installed already.

    The first SIGTERM starts draining; after that, or at the next SIGTERM, the original handler gets
    the signal. So the ASGI server keeps listening meanwhile, and new calls are refused in words.

    Args:
        drain: Lets the calls in progress finish.
    """

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
        self._before = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, self._on_signal)

    async def remove(self) -> None:
        """Restore the original handler, and stop draining."""
        # Bound methods are equal, never identical.
        if self._loop is not None and signal.getsignal(signal.SIGTERM) == self._on_signal:
            signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # A signal handler may run between any two instructions: the event loop does the rest.
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._receive)

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
        self._pass_on()

    def _pass_on(self) -> None:
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        elif self._before == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
