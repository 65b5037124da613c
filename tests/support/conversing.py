"""Runs a conversation in the background of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from vision_agent.live.live_queue import LiveQueue


class Talk(Protocol):
    """A live session, and a test's actions in it."""

    live_queue: LiveQueue

    def run(self) -> Coroutine[Any, Any, None]:
        """The conversation, to its end."""


@asynccontextmanager
async def conversing(talk: Talk) -> AsyncIterator[None]:
    """Run the conversation; on exit it gets five seconds to end by itself."""
    task = asyncio.create_task(talk.run())
    try:
        yield
    finally:
        talk.live_queue.close()
        await asyncio.wait([task], timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
