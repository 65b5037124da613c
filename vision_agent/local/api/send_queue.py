"""The messages that wait to be sent on one connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from vision_agent.local.api.server_messages import ServerMessage

MAX_SPEECH = 64
"""Pieces of an answer that may wait; beyond it `put_speech` waits."""

MAX_WAITING = 1024
"""Messages that may wait in all; a client that leaves more unread is disconnected."""


class ClientTooSlow(Exception):
    """The client has left `MAX_WAITING` messages unread."""


class SendQueue:
    """Sends in order, one message at a time; putting a message never waits for the socket.

    Pieces of an answer can be dropped while they wait, so that after an interruption the client
    reads ``interrupted`` next.

    Args:
        send: Encodes one message and puts it on the socket.
    """

    def __init__(self, send: Callable[[ServerMessage], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[tuple[ServerMessage, bool]] = deque()
        self._speech = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, message: ServerMessage) -> None:
        """Queues a message that must not be lost.

        Raises:
            ClientTooSlow: the client reads nothing.
        """
        self._append(message, is_speech=False)

    async def put_speech(self, message: ServerMessage) -> None:
        """Queues a piece of an answer, when there is room for it."""
        await self._room.wait()
        self._append(message, is_speech=True)

    def drop_speech(self) -> int:
        """Takes back every piece of an answer that still waits; says how many there were."""
        dropped = self._speech
        self._waiting = deque(entry for entry in self._waiting if not entry[1])
        self._speech = 0
        self._room.set()
        return dropped

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._filled.wait()
            while self._waiting:
                message, is_speech = self._waiting.popleft()
                if is_speech:
                    self._speech -= 1
                    self._room.set()
                await self._send(message)
            self._filled.clear()

    def _append(self, message: ServerMessage, *, is_speech: bool) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise ClientTooSlow(f"{len(self._waiting)} messages wait to be read")
        self._waiting.append((message, is_speech))
        if is_speech:
            self._speech += 1
            if self._speech >= MAX_SPEECH:
                self._room.clear()
        self._filled.set()
