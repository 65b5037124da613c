"""Which threads are at work, and which of them sleep."""

from __future__ import annotations

import heapq
import itertools
import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Threads:
    """The threads that are started within `watched`.

    A thread is at work from its start to its end, except while it waits without a time limit for a
    condition: an event, a queue, a future, the next task of an executor. Whoever notifies it
    makes it be at work before it can run, so no moment is missed in which it is neither.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: set[threading.Thread] = set()
        self._known: set[threading.Thread] = set()

    def started(self, thread: threading.Thread) -> None:
        """A thread is about to start."""
        with self._lock:
            self._known = {each for each in self._known if each.is_alive()} | {thread}
            self._at_work.add(thread)

    def waits(self, thread: threading.Thread) -> bool:
        """A thread begins to wait; returns whether it is one of those that are watched."""
        with self._lock:
            self._at_work.discard(thread)
            return thread in self._known

    def wakes(self, thread: threading.Thread) -> None:
        """A thread need not wait any more."""
        with self._lock:
            if thread in self._known:
                self._at_work.add(thread)

    @property
    def at_work(self) -> bool:
        """Whether any thread is at work."""
        if not self._at_work:
            return False
        with self._lock:
            # One that has not begun to run is not alive yet.
            ended = {t for t in self._at_work if t.ident is not None and not t.is_alive()}
            self._at_work -= ended
            self._known -= ended
            return bool(self._at_work)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Threads, conditions and queues that are made within the context are watched."""
        threads, start = self, threading.Thread.start

        class WatchedCondition(threading.Condition):
            def __init__(self, lock: threading.Lock | None = None) -> None:
                super().__init__(lock)
                self._waiting: deque[threading.Thread] = deque()

            def wait(self, timeout: float | None = None) -> bool:
                thread = threading.current_thread()
                # In the order of the base class's waiters: both are changed under this lock only.
                self._waiting.append(thread)
                try:
                    # One with a limit goes on by itself, in real time.
                    if timeout is None:
                        threads.waits(thread)
                    return super().wait(timeout)
                finally:
                    threads.wakes(thread)
                    with suppress(ValueError):  # it was notified
                        self._waiting.remove(thread)

            def notify(self, n: int = 1) -> None:
                for _ in range(min(n, len(self._waiting))):
                    threads.wakes(self._waiting.popleft())
                super().notify(n)

        def watched_start(thread: threading.Thread) -> None:
            threads.started(thread)
            start(thread)

        # Executors wait for their tasks in a queue written in C, which can't be watched.
        replaced: list[tuple[object, str, object]] = [
            (threading, "Condition", WatchedCondition),
            (threading.Thread, "start", watched_start),
            (queue, "SimpleQueue", queue._PySimpleQueue),  # type: ignore[attr-defined]
        ]
        before = [getattr(home, name) for home, name, _ in replaced]
        for home, name, new in replaced:
            setattr(home, name, new)
        try:
            yield
        finally:
            for (home, name, _), old in zip(replaced, before, strict=True):
                setattr(home, name, old)


class Sleepers:
    """Threads that sleep until a moment of the virtual clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._asleep: list[tuple[float, int, threading.Event]] = []

    def sleep(self, seconds: float) -> None:
        """Block the calling thread, which is not that of the event loop."""
        woken = threading.Event()
        with self._lock:
            entry = (self._now_s() + seconds, next(self._numbers), woken)
            heapq.heappush(self._asleep, entry)
        woken.wait()

    @property
    def due_s(self) -> float:
        """When the first one has to wake up; infinite if none sleeps."""
        return self._asleep[0][0] if self._asleep else math.inf

    def wake(self, until_s: float) -> None:
        """Wake those whose time has come."""
        while self.due_s <= until_s:
            with self._lock:
                _, _, woken = heapq.heappop(self._asleep)
            woken.set()
