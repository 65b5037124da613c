"""How much of something a peer may make this process do. No I/O, no clock."""

from __future__ import annotations


class Budget:
    """A token bucket: so much a second, and a burst after a pause.

    Args:
        per_s: What is earned in a second.
        burst: What is kept at most, and there at the start.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s: float | None = None

    def take(self, now_s: float, amount: float = 1.0) -> bool:
        """Spends `amount` if it is there; whether it was. `now_s` is monotonic."""
        earned = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s) * self._per_s
        self._at_s = now_s
        self._left = min(self._burst, self._left + earned)
        if self._left < amount:
            return False
        self._left -= amount
        return True
