"""When to reconnect: exponential backoff with jitter and a budget. Pure; time is an argument."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FIRST_S = 0.5
QUICK_TRIES = 4
"""Retries at the shortest delay: a restarting server refuses a few connections."""

LONGEST_S = 8.0
STABLE_S = 5.0
"""A connection that lasted this long without a question resets the backoff. A shorter one counts as
another failure: otherwise a server that accepts and drops would get dozens of connections a second.
So does one that owed an answer, however long the service took to fail."""

USEFUL_S = 0.5
"""A connection that lasted this long and carried a whole answer shows that the service works: the
budget starts again, and the next delays are short."""


@dataclass(slots=True)
class Backoff:
    """The delays of one conversation.

    Args:
        budget_s: How long connections may keep failing before the conversation is given up.
        rng: Source of the jitter.
    """

    budget_s: float
    rng: random.Random = field(default_factory=random.Random)
    _failures: int = 0
    _failing_since_s: float | None = None
    _connected_at_s: float | None = None
    _useful: bool = False

    def useful(self) -> None:
        """The model has given an answer on this connection."""
        self._useful = True

    def connected(self, now_s: float) -> None:
        """A setup was accepted."""
        self._connected_at_s = now_s

    def given_up(self) -> None:
        """What the service failed on is not asked any more: the budget starts again."""
        self._failing_since_s = None

    def failed(self, now_s: float, *, owes: bool = False) -> float | None:
        """A connection ended or could not be made.

        Args:
            now_s: The time.
            owes: Whether the model owed an answer.

        Returns:
            Seconds until the next attempt: 0 after a good connection, then about half a second a
            few times, then up to twice the previous delay. None once the budget is used up.
        """
        lived_s = 0.0 if self._connected_at_s is None else now_s - self._connected_at_s
        if lived_s >= STABLE_S and not owes:
            self._failures, self._failing_since_s = 0, None
        elif self._useful and lived_s >= USEFUL_S:
            self._failures, self._failing_since_s = min(self._failures, 1), None
        self._connected_at_s, self._useful = None, False
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        elif now_s - self._failing_since_s >= self.budget_s:
            return None
        self._failures += 1
        if self._failures == 1:
            return 0.0
        ceiling_s = min(LONGEST_S, FIRST_S * 2.0 ** max(0, self._failures - QUICK_TRIES))
        # Half of the delay is fixed: callers spread out, and no attempt follows another at once.
        return ceiling_s / 2 + self.rng.random() * ceiling_s / 2
