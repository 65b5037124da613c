"""Waiting for something that only looking again can tell."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

_LOOK_S = 0.02


async def until(condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
    """Wait until the condition holds; returns False if it doesn't within the time."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        if condition():
            return True
        if time.monotonic() > deadline_s:
            return False
        await asyncio.sleep(_LOOK_S)
