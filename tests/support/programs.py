"""Runs programs to their end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


async def run(*command: str | Path, cwd: Path, within_s: float = 90, **environment: str) -> str:
    """Returns the output of a program.

    Raises:
        AssertionError: It ended with another status than 0; the text has its standard error.
        TimeoutError: It did not end in time, and was killed.
    """
    process = await asyncio.create_subprocess_exec(
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
