"""Bounds how much work a peer may cause in this process. No I/O, no clock."""

from __future__ import annotations


class Budget:
    """A token bucket.

    Args:
        per_s: How many tokens are added in a second.
        burst: How many tokens the bucket holds at most, and at the start.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s: float | None = None

    def take(self, now_s: float, amount: float = 1.0) -> bool:
        """Takes `amount` tokens if there are enough; returns whether. `now_s` is monotonic."""
        earned = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s) * self._per_s
        self._at_s = now_s
        self._left = min(self._burst, self._left + earned)
        if self._left < amount:
            return False
        self._left -= amount
        return True
