"""The two ports of a model connection: who observes it, and what holds back the caller's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from google.genai import types

from vision_agent.live.shown import Shown


class ConnectionObserver(Protocol):
    """Notified of the state of a model connection, in the connection's task."""

    def connected(self) -> None:
        """The model has accepted a setup and receives what the caller says."""

    def lost(self, why: str) -> None:
        """The connection is gone, and the next one is being opened."""

    def cancelled(self, call_ids: list[str]) -> None:
        """The model does not want the results of these tool calls any more."""

    def unanswered(self, why: str) -> None:
        """The model stayed silent, though it was asked again; it is not asked any more."""


class Gate(Protocol):
    """Holds back what the caller says, and has what the caller shows (`LiveQueue`)."""

    def hold(self) -> None:
        """Let nothing out until `release`."""

    def release(self) -> None:
        """Let out what was held back, and all that follows."""

    def take_frames(self) -> list[types.Blob]:
        """The caller's newest frames, for a connection that has not seen them.

        They include the frames that say that the camera or the screen is off.
        """

    def watch_reader(self, failed: Callable[[Exception], None]) -> None:
        """Have ``failed`` called if the task that reads fails: nothing is sent any more then."""

    @property
    def visible(self) -> list[Shown]:
        """What the camera and the screen show now; empty while both are off."""


class Nobody:
    """Observes nothing and holds nothing back."""

    def connected(self) -> None:
        """Nothing."""

    def lost(self, why: str) -> None:
        """Nothing."""

    def cancelled(self, call_ids: list[str]) -> None:
        """Nothing."""

    def unanswered(self, why: str) -> None:
        """Nothing."""

    def hold(self) -> None:
        """Nothing."""

    def release(self) -> None:
        """Nothing."""

    def take_frames(self) -> list[types.Blob]:
        """Nothing."""
        return []

    def watch_reader(self, failed: Callable[[Exception], None]) -> None:
        """Nothing."""

    @property
    def visible(self) -> list[Shown]:
        """Nothing."""
        return []
