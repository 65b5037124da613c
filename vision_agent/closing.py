"""Closing several things of which none may keep the next one from being closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 5.0
"""For each step. ADK gives a plugin as long."""

STEP_OF_A_CALL_S = 6.0
"""A peer takes up to 5 s."""


async def close_each(*steps: tuple[str, Callable[[], Awaitable[object]]]) -> None:
    """Run the steps one after the other; each failure is logged and ends its own step only.

    In the task that calls: an MCP client's connection can't be closed in another.

    Args:
        steps: What each closes, for the log, and the function that does it.
    """
    task = asyncio.current_task()
    for what, close in steps:
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await close()
        except TimeoutError:
            logger.error("Closing %s took longer than %g s and was given up.", what, CLOSE_WITHIN_S)
        except Exception:
            logger.exception("Closing %s failed.", what)
        except asyncio.CancelledError:
            if task is not None and task.cancelling():
                raise
            # A library's own cancellation that leaked out of it.
            logger.exception("Closing %s failed.", what)


class Closing:
    """The steps of closing one call; a failure is logged with its cause, and ends one step only.

    A step that takes time has a task of its own: not even one that can't be cancelled holds up the
    next.

    Args:
        of: What is closed, for the log.
    """

    def __init__(self, of: str) -> None:
        self._of = of

    def do(self, what: str, step: Callable[[], None]) -> None:
        """One step."""
        try:
            step()
        except Exception:
            logger.exception("%s: closing %s failed", self._of, what)

    async def wait(self, what: str, step: Coroutine[Any, Any, None]) -> None:
        """A step that takes time, and may not take for ever."""
        task = asyncio.create_task(step, name=f"close {what} of {self._of}")
        try:
            # Not `wait_for`: that waits on for what does not let itself be cancelled.
            await asyncio.wait([task], timeout=STEP_OF_A_CALL_S)
        finally:
            task.cancel()
        if not task.done():
            logger.error(
                "%s: closing %s takes longer than %g s and is not waited for.",
                self._of,
                what,
                STEP_OF_A_CALL_S,
            )
        elif not task.cancelled() and (error := task.exception()):
            logger.error("%s: closing %s failed", self._of, what, exc_info=error)
