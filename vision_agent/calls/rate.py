"""Rate limits by key: token buckets. Time is an argument."""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000
"""Beyond this, the keys not seen for the longest time are dropped."""


class Rate:
    """Allows each key `burst` at once, and `per_minute` in the long run.

    Args:
        per_minute: The rate; 0 for no limit.
        burst: How many at once; None for those of a minute.
    """

    def __init__(self, per_minute: float, burst: float | None = None) -> None:
        self._per_s = per_minute / 60
        self._burst = max(1.0, per_minute if burst is None else burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Seconds until one more is allowed; 0 if it is now."""
        if not self._per_s:
            return 0.0
        return max(0.0, (1 - self._now_left(key, now_s)) / self._per_s)

    def take(self, key: str, now_s: float) -> float:
        """Take one if it is allowed; otherwise returns the seconds to wait."""
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
