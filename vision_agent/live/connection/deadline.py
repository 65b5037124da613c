"""Until when the present connection is read, as `liveness.py` decides by the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vision_agent.live.connection.ledger import Ledger
from vision_agent.live.connection.liveness import ModelLiveness

LOOK_S = 0.25
"""How often a connection that is about to end is looked at."""


class Deadline:
    """The deadline of a conversation's present connection.

    Args:
        liveness: Decides when a connection has to be left.
        ledger: The conversation's ledger.
    """

    def __init__(self, liveness: ModelLiveness, ledger: Ledger) -> None:
        self._liveness = liveness
        self._ledger = ledger
        self._timeout: asyncio.Timeout | None = None
        self._looking: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Raises `TimeoutError` when the deadline passes."""
        try:
            async with asyncio.timeout(None) as self._timeout:
                self.set()
                yield
        finally:
            self._timeout = None

    def set(self) -> None:
        """Set it again: the ledger or the liveness has changed."""
        if self._timeout is not None and not self._timeout.expired():
            ledger = self._ledger
            self._timeout.reschedule(
                self._liveness.deadline_s(owes=ledger.owes, thinks=ledger.thinks)
            )

    def await_moment(self) -> None:
        """The connection's end is announced: let the deadline pass in the next good moment.

        Silence brings no message to decide on, so the connection is looked at until then.
        """
        self.forget_moment()
        loop, ledger = asyncio.get_running_loop(), self._ledger
        if self._liveness.leaves(
            loop.time(), quiet=ledger.quiet, idle=ledger.idle, covered=ledger.resumable
        ):
            self._liveness.end_announced(loop.time())
            self.set()
        else:
            self._looking = loop.call_later(LOOK_S, self.await_moment)

    def forget_moment(self) -> None:
        """The connection is over."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
