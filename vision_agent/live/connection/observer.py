"""Who hears how the connection to the model fares, and what is held back meanwhile."""

from __future__ import annotations

from typing import Protocol


class ConnectionObserver(Protocol):
    """Who wants to know how the connection fares; called in the connection's task."""

    def connected(self) -> None:
        """The model has accepted a setup: from now on it hears."""

    def lost(self, why: str) -> None:
        """The connection is gone, and the next one is being opened."""

    def cancelled(self, call_ids: list[str]) -> None:
        """The model no longer wants the results of these tool calls."""


class Gate(Protocol):
    """Holds back what the caller says (`LiveQueue`)."""

    def hold(self) -> None:
        """Nothing goes out until `release`."""

    def release(self) -> None:
        """What was held back goes out, and all that follows."""
