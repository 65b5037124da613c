"""The ids of function calls, in the form that each model gives them."""

from __future__ import annotations

import secrets
import uuid

from vision_agent.local.api.habits import Habits


class CallIds:
    """Makes the ids of one session's calls.

    Args:
        habits: Which form they have.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._short: set[str] = set()

    def next(self, *, in_background: bool) -> str:
        """An id that no other call of the session has."""
        habits = self._habits
        match habits.background_call_ids if in_background else habits.call_ids:
            case "function-call":
                return f"function-call-{secrets.randbits(63)}"
            case "fc":
                return f"fc_{secrets.randbits(63)}"
            case "uuid":
                return str(uuid.uuid4())
            case "call":
                return self._six_digits()

    def _six_digits(self) -> str:
        if len(self._short) > 100_000:
            # By then the first ones are long answered.
            self._short.clear()
        while (made := f"call_{100_000 + secrets.randbelow(900_000)}") in self._short:
            pass
        self._short.add(made)
        return made
