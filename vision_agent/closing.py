"""Closes several resources in turn: a step that fails or hangs does not keep back the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 5.0
"""The time limit of each step of `close_each`. ADK gives a plugin the same time."""

STEP_OF_A_CALL_S = 6.0
"""The time limit of each step of `Closing.wait`. aiortc alone is given 5 s to close a peer."""


async def close_each(*steps: tuple[str, Callable[[], Awaitable[object]]]) -> None:
    """Runs the steps one after the other; a failure is logged and ends its own step only.

    The steps run in the calling task, because an MCP client's connection can't be closed in another
    task.

    Args:
        steps: For each step, the name of what it closes, for the log, and the closing function.
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
            # Nobody cancelled this task: a library's internal cancellation leaked out.
            logger.exception("Closing %s failed.", what)


class Closing:
    """The steps of closing one call; a failure is logged with its cause and ends one step only.

    A step that waits runs in a task of its own, so that even a step that ignores its cancellation
    does not hold up the next one.

    Args:
        of: The name of what is closed, for the log.
    """

    def __init__(self, of: str) -> None:
        self._of = of

    def do(self, what: str, step: Callable[[], None]) -> None:
        """Runs a step that does not wait."""
        try:
            step()
        except Exception:
            logger.exception("%s: closing %s failed", self._of, what)

    async def wait(self, what: str, step: Coroutine[Any, Any, None]) -> None:
        """Runs a step that waits, for at most `STEP_OF_A_CALL_S`; then it is cancelled and left."""
        task = asyncio.create_task(step, name=f"close {what} of {self._of}")
        try:
            # Not `wait_for`, which keeps waiting for a task that ignores its cancellation.
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
