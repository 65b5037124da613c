"""Threads for blocking tools: bounded, and not joined at exit.

The standard library's `ThreadPoolExecutor` joins its threads when the interpreter exits, so a tool
that hangs would keep a server from exiting. A thread cannot be stopped, but a daemon thread can be
abandoned.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class TooManyTools(RuntimeError):
    """The bound on running and waiting tools is reached."""


@dataclass(frozen=True, slots=True)
class _Work:
    future: Future[Any]
    call: Callable[[], Any]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return  # cancelled while it waited
        try:
            result = self.call()
        except BaseException as error:
            if isinstance(error, StopIteration) or not isinstance(error, Exception):
                # asyncio's futures refuse the first, and its tasks pass the others on to the loop:
                # one that waits would wait for ever, or end the server.
                ended = RuntimeError(f"the call raised {type(error).__name__}")
                ended.__cause__ = error
                self.future.set_exception(ended)
                return
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class ToolThreads(Executor):
    """A thread for each call, up to a bound; further calls wait, up to a second bound.

    Args:
        max_threads: Calls that run at the same time.
        max_waiting: Calls that wait for a thread; further ones are refused.
    """

    def __init__(self, max_threads: int = 16, max_waiting: int = 64) -> None:
        self._max_threads = max_threads
        self._max_waiting = max_waiting
        self._threads = 0
        self._waiting: deque[_Work] = deque()
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run ``fn`` in a thread.

        Raises:
            TooManyTools: `max_waiting` calls are waiting already.
        """
        future: Future[T] = Future()
        work = _Work(future, lambda: fn(*args, **kwargs))
        with self._lock:
            if self._threads >= self._max_threads:
                self._waiting = deque(w for w in self._waiting if not w.future.cancelled())
                if len(self._waiting) >= self._max_waiting:
                    raise TooManyTools("Too many tools are running: try again in a moment.")
                self._waiting.append(work)
                return future
            self._threads += 1
        threading.Thread(target=self._work, args=(work,), name="tool", daemon=True).start()
        return future

    def _work(self, work: _Work | None) -> None:
        while work is not None:
            work.run()
            with self._lock:
                work = self._waiting.popleft() if self._waiting else None
                if work is None:
                    self._threads -= 1
