"""Notices the end of a Ray actor's node."""

from __future__ import annotations

import asyncio
import os

LOOK_EVERY_S = 0.5


async def until_orphaned() -> None:
    """Wait until this process's parent, the node's raylet, is dead.

    Ray itself notices within half a minute, and may leave the actors' processes running.
    """
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nothing else tells
        await asyncio.sleep(LOOK_EVERY_S)


async def end_if_orphaned() -> None:
    """End this process when its node has."""
    await until_orphaned()
    os._exit(1)
