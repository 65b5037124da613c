"""The newest resumption handle of a conversation, kept beyond the call it was given in."""

from __future__ import annotations

from typing import Protocol

from google.genai import types

from vision_agent.live.connection.handle_coverage import HandleCoverage
from vision_agent.live.connection.ledger import Ledger


class HandleKeeper(Protocol):
    """Keeps a conversation's resumption handle between its calls."""

    def take(self) -> str | None:
        """The handle of the conversation's last call; None if there is none, or it is outdated.

        It is returned once in a call: an agent that takes over from another agent begins a session
        of its own.
        """

    def keep(self, handle: str | None) -> None:
        """Keep the newest handle; None if more has been said than the last one covers."""


def ledger_for(history: list[types.Content], handles: HandleKeeper | None) -> Ledger:
    """The ledger of a conversation, which begins with the kept handle and reports every newer one.

    Args:
        history: What was said before this connection.
        handles: Keeps the handle; None: nobody does.
    """
    if handles is None:
        return Ledger(history)
    handle = handles.take()
    if handle is None:
        handles.keep(None)
    return Ledger(history, HandleCoverage(handle, handles.keep))
