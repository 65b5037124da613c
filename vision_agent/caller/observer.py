"""The contract between a call and what shows it: the events a call reports."""

from __future__ import annotations

from typing import Protocol


class CallObserver(Protocol):
    """Receives a call's events. Every method is called in the event loop's thread."""

    def state(self, state: str) -> None:
        """The call is `dialling`, `connecting`, `ready`, `listening`, `thinking`, `speaking`, …."""

    def line(self, who: str, text: str) -> None:
        """A line of the transcript is complete; `who` is "user" or "agent"."""

    def partial(self, who: str, text: str) -> None:
        """An unfinished line has changed; `text` is empty once the line is complete."""

    def level(self, who: str, rms: float) -> None:
        """The RMS of the newest frame of s16 samples, usually 20 ms."""

    def reply(self, ms: int) -> None:
        """An answer began to arrive `ms` after the caller's last word."""

    def note(self, text: str) -> None:
        """A remark that is not part of the conversation, such as that the server records it."""


class NoObserver:
    """Ignores every event, for calls that are not shown."""

    def state(self, state: str) -> None:
        """Ignored."""

    def line(self, who: str, text: str) -> None:
        """Ignored."""

    def partial(self, who: str, text: str) -> None:
        """Ignored."""

    def level(self, who: str, rms: float) -> None:
        """Ignored."""

    def reply(self, ms: int) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""
