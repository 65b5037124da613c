"""Tells which threads are at work, and until when the others sleep."""

from __future__ import annotations

import heapq
import itertools
import math
import queue
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vision_agent.virtual_time.clock import VirtualClock, real_monotonic

_LOOK_AGAIN_S = 0.002
"""How often a thread that waits with a time limit looks at the virtual clock."""


class _Pause:
    """A thread waits, with or without a limit."""

    def __init__(self, thread: threading.Thread) -> None:
        self.thread = thread
        self.over = False


class Threads:
    """The threads that are started within `watched`.

    A thread is at work from its start to its end, except while it sleeps or waits for a condition:
    an event, a queue, a future, the next task of an executor. A notification, or the end of its
    timeout, marks it as at work before it can run, so that it is never missed in between.

    Args:
        clock: Measures the timeouts.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._at_work: set[threading.Thread] = set()
        self._known: set[threading.Thread] = set()
        self._numbers = itertools.count()
        self._limits: list[tuple[float, int, _Pause]] = []
        self._left = False

    @property
    def at_work(self) -> bool:
        """Whether any thread is at work."""
        if not self._at_work:
            return False
        with self._lock:
            self._at_work = {each for each in self._at_work if not _has_ended(each)}
            return bool(self._at_work)

    @property
    def runs(self) -> bool:
        """Whether a thread at work is running, or waits for the processor or a disk.

        Known on Linux only; elsewhere False.
        """
        with self._lock:
            return any(_state(each) in ("R", "D") for each in self._at_work)

    @property
    def due_s(self) -> float:
        """The end of the next timeout; infinite without one."""
        return self._limits[0][0] if self._limits else math.inf

    def wake(self, until_s: float) -> None:
        """Mark the threads whose timeout has ended as at work."""
        while self.due_s <= until_s:
            with self._lock:
                _, _, pause = heapq.heappop(self._limits)
                if not pause.over:
                    self._at_work.add(pause.thread)

    def sleep(self, seconds: float) -> None:
        """Block the calling thread, which is not that of the event loop."""
        threading.Event().wait(seconds)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the threads, conditions and queues that are made within the context."""
        start = threading.Thread.start

        def watched_start(thread: threading.Thread) -> None:
            self._started(thread)
            start(thread)

        # Executors wait for their tasks in a queue written in C, which can't be watched.
        replaced: list[tuple[object, str, object]] = [
            (threading, "Condition", lambda lock=None: _WatchedCondition(self, lock)),
            (threading.Thread, "start", watched_start),
            (queue, "SimpleQueue", queue._PySimpleQueue),  # type: ignore[attr-defined]
        ]
        before = [getattr(home, name) for home, name, _ in replaced]
        for home, name, new in replaced:
            setattr(home, name, new)
        try:
            yield
        finally:
            self._left = True
            for (home, name, _), old in zip(replaced, before, strict=True):
                setattr(home, name, old)

    def _started(self, thread: threading.Thread) -> None:
        with self._lock:
            self._known = {each for each in self._known if not _has_ended(each)} | {thread}
            self._at_work.add(thread)

    def begin_pause(self, thread: threading.Thread, limit_s: float | None) -> _Pause | None:
        """Notes that a thread begins to wait; None if it is not watched."""
        with self._lock:
            if thread not in self._known or self._left:
                return None
            pause = _Pause(thread)
            if limit_s is not None:
                entry = (self.clock.now_s() + limit_s, next(self._numbers), pause)
                heapq.heappush(self._limits, entry)
            self._at_work.discard(thread)
            return pause

    def end_pause(self, pause: _Pause) -> None:
        """Notes that a thread need not wait any more."""
        with self._lock:
            if not pause.over:
                pause.over = True
                self._at_work.add(pause.thread)

    def is_late(self, due_s: float) -> bool:
        """Whether a timeout has ended, or timeouts no longer count."""
        return self._left or self.clock.now_s() >= due_s


def _has_ended(thread: threading.Thread) -> bool:
    # A thread that has not begun to run is not alive yet.
    return thread.ident is not None and not thread.is_alive()


def _state(thread: threading.Thread) -> str:
    """The state of a thread (`proc(5)`); empty if it is unknown."""
    try:
        stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]


class _WatchedCondition(threading.Condition):
    def __init__(self, threads: Threads, lock: threading.Lock | None) -> None:
        super().__init__(lock)
        self._threads = threads
        # In the order of the base class's waiters: both are changed under this lock only.
        self._pauses: deque[_Pause | None] = deque()

    def wait(self, timeout: float | None = None) -> bool:
        limit_s = None if timeout is None else max(0.0, timeout)
        pause = self._threads.begin_pause(threading.current_thread(), limit_s)
        try:
            if pause is None and limit_s is not None:
                return self._block(limit_s)
            if limit_s is None:
                return self._wait_really(pause, None)
            due_s = self._threads.clock.now_s() + limit_s
            while not self._wait_really(pause, _LOOK_AGAIN_S):
                if self._threads.is_late(due_s):
                    return False
            return True
        finally:
            if pause is not None:
                self._threads.end_pause(pause)

    def _block(self, limit_s: float) -> bool:
        """Wait on the thread of the event loop: nothing else advances the clock meanwhile."""
        began_s = real_monotonic()
        try:
            return self._wait_really(None, limit_s)
        finally:
            self._threads.clock.skip(real_monotonic() - began_s)

    def _wait_really(self, pause: _Pause | None, timeout: float | None) -> bool:
        self._pauses.append(pause)
        try:
            return super().wait(timeout)
        finally:
            if pause is None or not pause.over:  # it was not notified
                with suppress(ValueError):
                    self._pauses.remove(pause)

    def notify(self, n: int = 1) -> None:
        for _ in range(min(n, len(self._pauses))):
            pause = self._pauses.popleft()
            if pause is not None:
                self._threads.end_pause(pause)
        super().notify(n)
