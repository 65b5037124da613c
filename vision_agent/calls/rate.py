"""How often somebody may do something: token buckets. Time is an argument."""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000
"""Of more, those that were not seen for the longest time are forgotten."""


class Rate:
    """Allows `burst` at once, and `per_minute` in the long run, for each key.

    Args:
        per_minute: 0 allows everything.
        burst: Default: a minute's worth.
    """

    def __init__(self, per_minute: float, burst: float | None = None) -> None:
        self._per_s = per_minute / 60
        self._burst = max(1.0, per_minute if burst is None else burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """How long until one more is allowed; 0: now."""
        if not self._per_s:
            return 0.0
        return max(0.0, (1 - self._now_left(key, now_s)) / self._per_s)

    def take(self, key: str, now_s: float) -> float:
        """Takes one if it is allowed; returns how long to wait otherwise."""
        wait_s = self.wait_s(key, now_s)
        if self._per_s and not wait_s:
            self._left[key] = (self._now_left(key, now_s) - 1, now_s)
            self._left.move_to_end(key)
            if len(self._left) > MAX_KEYS:
                self._left.popitem(last=False)
        return wait_s

    def _now_left(self, key: str, now_s: float) -> float:
        left, at_s = self._left.get(key, (self._burst, now_s))
        return min(self._burst, left + (now_s - at_s) * self._per_s)
