"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(
    condition: Callable[[], T | Awaitable[T]], within_s: float = 60.0, what: str = ""
) -> T:
    """Polls `condition`, which may be a coroutine function, and returns its first true value.

    Args:
        condition: What is waited for.
        within_s: A bound that only a bug exceeds.
        what: Names the condition in the failure.
    """
    end = time.monotonic() + within_s
    while True:
        value = condition()
        pause_s = 0.01
        if inspect.isawaitable(value):
            value, pause_s = await value, 0.1  # a coroutine usually asks another process
        if value:
            return value
        assert time.monotonic() < end, f"not within {within_s:g} s: {what or condition}"
        await asyncio.sleep(pause_s)
