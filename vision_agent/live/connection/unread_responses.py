"""The model's responses on their way to ADK: a bounded queue over all connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from google.adk.models.llm_response import LlmResponse

logger = logging.getLogger(__name__)

MAX_UNREAD = 4096
"""Responses that may wait for ADK; a full queue makes the connection's reader wait."""


class UnreadResponses:
    """What the model has said and ADK has not read yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[LlmResponse | BaseException | None] = asyncio.Queue(MAX_UNREAD)
        self._over = False

    async def put(self, response: LlmResponse) -> None:
        """Queue a response; waits while the queue is full."""
        await self._queue.put(response)

    def end_turn(self) -> None:
        """The model will not end its turn any more: end it for ADK, without waiting."""
        self._put_nowait(LlmResponse(turn_complete=True))

    async def end(self, error: Exception | None) -> None:
        """Nothing more comes; ADK's reader gets the error."""
        await self._queue.put(error)

    def end_nowait(self) -> None:
        """`end` without an error, from where one can't wait."""
        self._put_nowait(None)

    def fail(self, error: Exception) -> None:
        """`end` with an error, from where one can't wait."""
        self._put_nowait(error)

    def failure(self) -> BaseException:
        """The error that has ended everything."""
        while not isinstance(item := self._queue.get_nowait(), BaseException):
            pass
        return item

    async def turn(self) -> AsyncGenerator[LlmResponse, None]:
        """The responses up to the end of a turn; nothing once the conversation is over."""
        # ADK asks again after an end that came in the middle of a turn.
        while not self._over:
            item = await self._queue.get()
            if item is None:
                self._over = True
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            if item.turn_complete:
                return

    def _put_nowait(self, item: LlmResponse | Exception | None) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            logger.warning("ADK has not read the model's responses: the end of a turn is dropped.")
