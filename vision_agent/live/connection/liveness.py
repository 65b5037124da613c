"""When a model connection has to be left: its announced end, or a silent model. Pure.

Time is an argument, in seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass


class ConnectionLeft(Exception):
    """The connection is left from this side.

    Attributes:
        planned: The service had announced its end (`goAway`); nobody needs to know.
    """

    def __init__(self, why: str, *, planned: bool) -> None:
        super().__init__(why)
        self.planned = planned


def about_to_end() -> ConnectionLeft:
    """The connection is left before its announced end."""
    return ConnectionLeft("The connection was about to end.", planned=True)


@dataclass(slots=True)
class ModelLiveness:
    """The deadlines of a conversation's connections.

    Args:
        stall_s: How long a model that owes an answer may send nothing.
    """

    stall_s: float
    _leave_at_s: float | None = None
    _sign_of_life_at_s: float = 0.0
    _stalls: int = 0

    def connecting(self) -> None:
        """A new connection is being opened; no end of it is announced."""
        self._leave_at_s = None

    def sign_of_life(self, now_s: float) -> None:
        """A message came, or an answer has just been asked for."""
        self._sign_of_life_at_s = now_s

    def answered(self) -> None:
        """The model has said or called something."""
        self._stalls = 0

    def end_announced(self, leave_at_s: float) -> None:
        """The service ends the connection soon; by this time it has to be left."""
        self._leave_at_s = leave_at_s

    def deadline_s(self, *, owes: bool) -> float | None:
        """When `overdue` has to be asked.

        Args:
            owes: Whether the model owes an answer.

        Returns:
            A time; None if nothing is waited for.
        """
        times = [] if self._leave_at_s is None else [self._leave_at_s]
        if owes:
            times.append(self._sign_of_life_at_s + self.stall_s)
        return min(times, default=None)

    @property
    def ending(self) -> bool:
        """Whether the connection is to be left at the next good moment."""
        return self._leave_at_s is not None

    def overdue(self, now_s: float) -> None:
        """The deadline has passed.

        Returns normally if the model has been asked twice and was silent twice: it has no answer.

        Raises:
            ConnectionLeft: The connection has to be left.
        """
        if self._leave_at_s is not None and now_s >= self._leave_at_s:
            raise about_to_end()
        self._stalls += 1
        if self._stalls == 1:
            raise ConnectionLeft("The model does not answer.", planned=False)
        self._stalls = 0
