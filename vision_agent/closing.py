"""Closing several things of which none may keep the next one from being closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 5.0
"""For each step. ADK gives a plugin as long."""


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
