"""How long to wait for the model service."""

from __future__ import annotations

import re
from dataclasses import dataclass

from google.genai import types


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts of a model connection, in seconds.

    Attributes:
        setup_s: For a connection and the acceptance of its setup.
        stall_s: For a sign of life from a model that owes an answer.
        first_s: For a service that can't be reached when the call begins.
        budget_s: For a service that can't be reached later, before the call is given up.
        go_away_margin_s: How long before its announced end a connection is left, even in the middle
            of an answer.
    """

    setup_s: float = 15.0
    stall_s: float = 10.0
    first_s: float = 4.0
    budget_s: float = 60.0
    go_away_margin_s: float = 2.0

    def leaves_in_s(self, go_away: types.LiveServerGoAway) -> float:
        """Seconds for which a connection is still used after its end was announced."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)s", go_away.time_left or "")
        left_s = float(found[1]) if found else 0.0
        return left_s - min(self.go_away_margin_s, left_s / 2)
