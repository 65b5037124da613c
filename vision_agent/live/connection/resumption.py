"""The newest resumption handle of a conversation, kept beyond the call it was given in.

A session hangs its keeper on a context variable, as it does its listener (`connection.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

from google.genai import types

from vision_agent.live.connection.ledger import Ledger


class HandleKeeper(Protocol):
    """Who keeps the handle."""

    def take(self) -> str | None:
        """The one that was kept in an earlier call; None: there is none, or it is outdated.

        Once in a call: an agent that another one hands the conversation to begins its own session.
        """

    def keep(self, handle: str | None) -> None:
        """The newest one; None: more has been said than the last one stands for."""


keeper: ContextVar[HandleKeeper | None] = ContextVar("keeper", default=None)
"""Whose conversation it is."""


class ResumedLedger(Ledger):
    """A ledger that begins with a kept handle, and tells its keeper of every change.

    Args:
        history: See `Ledger`.
        keeper: Keeps the handle.
        heard: See `Ledger`.
    """

    def __init__(
        self, history: list[types.Content], keeper: HandleKeeper, heard: Callable[[], str] | None
    ) -> None:
        super().__init__(history, heard=heard)
        self._keeper = keeper
        self._handle = self._kept = keeper.take()
        if self._handle is None:
            keeper.keep(None)

    def received(self, message: types.LiveServerMessage) -> None:
        """A message came."""
        super().received(message)
        self._keep()

    def settle(self) -> None:
        """The open turn is over."""
        super().settle()
        self._keep()

    def forget_handle(self) -> None:
        """The handle turned out to be void."""
        super().forget_handle()
        self._keep()

    def _keep(self) -> None:
        handle = None if self._since_handle else self._handle
        if handle != self._kept:
            self._kept = handle
            self._keeper.keep(handle)


def ledger_for(history: list[types.Content], heard: Callable[[], str] | None) -> Ledger:
    """The ledger of the conversation that the present context belongs to."""
    owner = keeper.get()
    if owner is None:
        return Ledger(history, heard=heard)
    return ResumedLedger(history, owner, heard)
