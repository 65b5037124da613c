"""Runs programs to their end."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.support.forked import start_forked


async def run(*command: str | Path, cwd: Path, within_s: float = 90, **environment: str) -> str:
    """Returns the output of a program; ``python -m module`` is forked.

    Raises:
        AssertionError: It ended with another status than 0; the text has its standard error.
        TimeoutError: It did not end in time, and was killed.
    """
    forked = command[0] == sys.executable and command[1] == "-m"
    start = start_forked if forked else asyncio.create_subprocess_exec
    process = await start(
        *map(str, command),
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()
