"""When to try again: exponential backoff with jitter and a budget. Pure; time is an argument."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FIRST_S = 0.5
QUICK_TRIES = 4
"""A restarting server refuses a few times: the caller is not to wait for more than that."""

LONGEST_S = 8.0
STABLE_S = 5.0
"""A connection that lived this long was a good one; a shorter one counts as another failure, or a
server that accepts and drops would be asked dozens of times a second."""

USEFUL_S = 0.5
"""One on which the model has said something, and that lived this long, is no sign that the service
is away: the budget begins anew, and the next delays are short."""


@dataclass(slots=True)
class Backoff:
    """The delays of one conversation.

    Args:
        budget_s: How long it may go on failing before it is given up.
        rng: Where the jitter comes from.
    """

    budget_s: float
    rng: random.Random = field(default_factory=random.Random)
    _failures: int = 0
    _failing_since_s: float | None = None
    _connected_at_s: float | None = None
    _useful: bool = False

    def useful(self) -> None:
        """The model has said something."""
        self._useful = True

    def connected(self, now_s: float) -> None:
        """A setup was accepted."""
        self._connected_at_s = now_s

    def failed(self, now_s: float) -> float | None:
        """A connection ended or could not be made.

        Returns:
            How many seconds to wait before the next try: none after a connection that was good,
            then half a second a few times, then up to double the last time's. None when the budget
            is used up.
        """
        lived_s = 0.0 if self._connected_at_s is None else now_s - self._connected_at_s
        if lived_s >= STABLE_S:
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
        # Half of it fixed: no two callers in step, and still never two tries on top of each other.
        return ceiling_s / 2 + self.rng.random() * ceiling_s / 2
