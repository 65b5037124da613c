"""The one of ADK's connections that is open at the moment, if any."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.genai import errors
from websockets.exceptions import ConnectionClosed

from vision_agent.live.connection.observer import Gate

logger = logging.getLogger(__name__)

OpenLink = Callable[[str | None, bool], AbstractAsyncContextManager[BaseLlmConnection]]
"""Opens a connection with a handle, or a new session that (if true) is sent a history first."""

Send = Callable[[BaseLlmConnection], Awaitable[None]]


class CurrentLink:
    """Sends on the connection that is open at the moment.

    Args:
        gate: Holds back what the caller says while there is no connection.

    Attributes:
        closing: The conversation is being ended: nothing is sent any more.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._link: BaseLlmConnection | None = None
        self._changed = asyncio.Event()
        self.closing = False

    def opened(self, link: BaseLlmConnection) -> None:
        """A connection takes what is sent from now on."""
        self._link = link
        self._changed.set()
        self._gate.release()

    def lost(self) -> None:
        """The connection is gone."""
        self._link = None
        if not self.closing:
            self._changed.clear()
        self._gate.hold()

    def hold(self) -> None:
        """What the caller says is not for this connection any more."""
        self._gate.hold()

    def end(self) -> None:
        """The conversation is being ended: whoever waits for a connection stops waiting."""
        self.closing = True
        self._changed.set()

    async def close(self) -> bool:
        """Close the connection; False if there is none."""
        if self._link is None:
            return False
        await self._link.close()
        return True

    async def wait(self) -> bool:
        """Wait for a connection; False once the conversation is being ended."""
        # A connection that was accepted and dropped at once may be gone before the waiter runs.
        while self._link is None and not self.closing:
            await self._changed.wait()
        return not self.closing

    async def send_until_taken(self, send: Send) -> None:
        """Send, again if need be, until a connection has taken it."""
        while await self.wait():
            if await self.send(send):
                return

    async def send(self, send: Send) -> bool:
        """Send once, on the present connection; returns whether that succeeded."""
        link = self._link
        if link is None:
            return False
        try:
            await send(link)
        except (ConnectionClosed, errors.APIError, OSError) as error:
            if link is self._link:
                self.lost()
            logger.debug("not sent: %r", error)
            return False
        return True
