"""The virtual clock, and the functions of `time` that read it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NS_PER_S = 1_000_000_000

real_monotonic = time.monotonic


class VirtualClock:
    """Processor time of this process, plus the time that was skipped.

    With processor time, work takes as long as on an idle machine, whatever else runs. The clock
    starts at the time of `time.monotonic`, so that a time read earlier is never in the future.

    Attributes:
        skipped_s: The time skipped so far.
    """

    def __init__(self) -> None:
        self._ahead_s = time.monotonic() - time.process_time()
        self._epoch_s = time.time() - time.monotonic()
        self.skipped_s = 0.0

    def now_s(self) -> float:
        """Seconds, as from `time.monotonic`."""
        return time.process_time() + self._ahead_s + self.skipped_s

    def epoch_s(self) -> float:
        """Seconds since 1970, as from `time.time`."""
        return self.now_s() + self._epoch_s

    def skip(self, seconds: float) -> None:
        """Advance the clock."""
        self.skipped_s += max(0.0, seconds)


@contextmanager
def kept_by(clock: VirtualClock, sleep: Callable[[float], None]) -> Iterator[None]:
    """`time.monotonic`, `time` and `perf_counter` read this clock within the context.

    So do the timeouts of `threading` and `queue`. Any other module that imported one of the
    functions by name before keeps the real one. `datetime.now` and C code always read the real
    clock.

    Args:
        clock: The clock.
        sleep: Takes the place of `time.sleep`.
    """

    def in_ns(read_s: Callable[[], float]) -> Callable[[], int]:
        return lambda: round(read_s() * _NS_PER_S)

    replaced: list[tuple[object, str, Callable[..., object]]] = [
        (time, "monotonic", clock.now_s),
        (time, "perf_counter", clock.now_s),
        (time, "time", clock.epoch_s),
        (time, "monotonic_ns", in_ns(clock.now_s)),
        (time, "perf_counter_ns", in_ns(clock.now_s)),
        (time, "time_ns", in_ns(clock.epoch_s)),
        (time, "sleep", sleep),
        (queue, "time", clock.now_s),
        (threading, "_time", clock.now_s),
    ]
    before = [getattr(home, name) for home, name, _ in replaced]
    for home, name, function in replaced:
        setattr(home, name, function)
    try:
        yield
    finally:
        for (home, name, _), old in zip(replaced, before, strict=True):
            setattr(home, name, old)
