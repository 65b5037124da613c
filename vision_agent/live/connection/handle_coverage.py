"""The newest resumption handle, and what it does not cover. Pure.

A resumed session knows what it knew when its handle was issued. When that is depends on the model,
as reported: a 2.5 model's handle follows each turn, 3.1 issues one about every 1.2 s, and 3.8 one
per session, just after its setup. So a conversation may be many turns beyond its newest handle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from google.genai import types


@dataclass(slots=True)
class HandleCoverage:
    """The coverage of one conversation's newest handle.

    Args:
        handle: The handle that covers what was said before the first connection; None if there is
            none.
        on_handle: Called with each handle that covers the whole conversation, and with None once
            the conversation has moved beyond it.

    Attributes:
        beyond: What the handle does not cover, oldest first.
        whole: Whether the handle covers the whole conversation. An answer without words is not in
            `beyond`, and yet not covered.
    """

    handle: str | None = None
    on_handle: Callable[[str | None], None] = lambda _handle: None
    beyond: list[types.Content] = field(default_factory=list)
    whole: bool = True
    _told: bool = False
    _reported: str | None = None

    def __post_init__(self) -> None:
        self._reported = self.handle

    def issued(self, handle: str) -> None:
        """The service has issued a handle."""
        self.handle = handle
        if not self._told:
            self.beyond.clear()
            self.whole = True
        self._told = False
        self._report()

    def settled(self, contents: list[types.Content], *, keep: int) -> None:
        """The conversation has moved on by these contents.

        Args:
            contents: What was added to the history.
            keep: How many contents the history holds at most.
        """
        self.beyond += contents
        del self.beyond[:-keep]
        self.whole = False
        self._report()

    def told(self, contents: list[types.Content]) -> None:
        """A new connection begins, and these contents of the history are sent to its session.

        The service may issue the session's first handle before it has read them.
        """
        self._told = bool(contents)
        if contents:
            self.settled([], keep=len(contents))
            self.beyond = list(contents)

    def understood(self) -> None:
        """The model speaks: it has read what it was told."""
        self._told = False

    def refused(self) -> None:
        """The service has refused the handle."""
        self.handle = None
        self._report()

    def resumes(self, history: list[types.Content]) -> str | None:
        """The handle to resume with; None if a new session would know as much."""
        return self.handle if self.whole or len(self.beyond) < len(history) else None

    def _report(self) -> None:
        handle = self.handle if self.whole else None
        if handle != self._reported:
            self._reported = handle
            self.on_handle(handle)
