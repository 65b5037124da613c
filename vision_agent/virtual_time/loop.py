"""The event loop of a virtual clock."""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vision_agent.virtual_time.clock import VirtualClock, kept_by, real_monotonic
from vision_agent.virtual_time.outside import lead_outside
from vision_agent.virtual_time.threads import Threads

STEP_S = 0.001
"""How often the loop checks whether a thread has finished its work."""

PATIENCE_S = 0.1
"""How long a working thread may use no CPU time before the clock advances, because it then waits
for a timer of the loop."""

_T = TypeVar("_T")
_Ready = list[tuple[selectors.SelectorKey, int]]


class VirtualSelector(selectors.DefaultSelector):
    """A selector that skips the time in which nothing can happen.

    Args:
        clock: The clock that it advances.
        threads: The threads that it waits for and wakes.

    Attributes:
        own: Descriptors of the loop itself, which do not lead outside.
    """

    def __init__(self, clock: VirtualClock, threads: Threads) -> None:
        super().__init__()
        self._clock, self._threads = clock, threads
        self._leads_outside: bool | None = None
        self.own: frozenset[int] = frozenset()

    def register(self, *args: Any, **options: Any) -> selectors.SelectorKey:
        """As the base class."""
        self._leads_outside = None
        return super().register(*args, **options)

    def unregister(self, *args: Any) -> selectors.SelectorKey:
        """As the base class."""
        self._leads_outside = None
        return super().unregister(*args)

    def select(self, timeout: float | None = None) -> _Ready:
        """Return what is ready, at the latest when the clock has passed `timeout` seconds."""
        clock, patience_s = self._clock, PATIENCE_S
        # Reading the clock is most of the cost of a round of the loop.
        if timeout == 0:
            if self._threads.due_s < math.inf:
                self._threads.wake(clock.now_s())
            return super().select(0)
        now_s = clock.now_s()
        due_s = math.inf if timeout is None else now_s + timeout
        while True:
            self._threads.wake(now_s)
            # Asked first: the next line sees what a thread hands over before it rests.
            at_work = self._threads.at_work
            if ready := super().select(0):
                return ready
            now_s = clock.now_s()
            if now_s >= due_s:
                return ready
            wait_s = max(0.0, min(due_s, self._threads.due_s) - now_s)
            if at_work:
                ready, idle_s = self._really(min(wait_s, STEP_S))
                patience_s -= idle_s
                if patience_s < 0 and not self._threads.runs:
                    clock.skip(min(idle_s, STEP_S))
            elif math.isinf(wait_s) or self._outside():
                ready, idle_s = self._really(wait_s)
                clock.skip(idle_s)
            else:
                # Data on the loopback interface may arrive a moment late.
                ready = super().select(0)
                if not ready:
                    clock.skip(wait_s)
            if ready:
                return ready
            now_s = clock.now_s()

    def _really(self, wait_s: float) -> tuple[_Ready, float]:
        """Wait in real time; also returns how long the clock has stood still meanwhile."""
        began_s, clock_s = real_monotonic(), self._clock.now_s()
        ready = super().select(None if math.isinf(wait_s) else wait_s)
        took_s = real_monotonic() - began_s
        return ready, took_s - (self._clock.now_s() - clock_s)

    def _outside(self) -> bool:
        if self._leads_outside is None:
            descriptors = {key.fd for key in self.get_map().values()} - self.own
            self._leads_outside = lead_outside(descriptors)
        return self._leads_outside


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is that of a virtual clock."""

    def __init__(self, clock: VirtualClock, threads: Threads) -> None:
        self.clock = clock
        self.selector = VirtualSelector(clock, threads)
        super().__init__(self.selector)
        self.selector.own = frozenset(key.fd for key in self.selector.get_map().values())

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self.clock.now_s()


def run_virtually(main: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine in virtual time; for the main thread of a process that does nothing else.

    Modules that use threads or the clock have to be imported within `main`; see `kept_by`.
    """
    clock, here = VirtualClock(), threading.get_ident()
    threads = Threads(clock)

    def sleep(seconds: float) -> None:
        if threading.get_ident() == here:
            clock.skip(seconds)
        else:
            threads.sleep(seconds)

    with (
        threads.watched(),
        kept_by(clock, sleep),
        asyncio.Runner(loop_factory=lambda: VirtualLoop(clock, threads)) as runner,
    ):
        return runner.run(main())
