"""`vision-agent serve` as a person runs it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from tests.support.forked import run_forked, start_forked

COMMAND = (sys.executable, "-m", "vision_agent")

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command that ends by itself; returns its exit code and all of its output."""
    env = {**os.environ, "COLUMNS": "200", **environment}
    done = await asyncio.to_thread(run_forked, "vision_agent", *arguments, env=env)
    return done.returncode, done.stdout + done.stderr


async def started(
    *arguments: str, start: Start = start_forked
) -> tuple[asyncio.subprocess.Process, list[str]]:
    """Start a server; returns it once it serves, with the lines that it printed."""
    process = await start(
        *COMMAND,
        "serve",
        "--port",
        "0",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    lines = []
    async with asyncio.timeout(90):
        while not lines or not lines[-1].startswith("Press"):
            line = await process.stdout.readline()
            assert line, (await process.stderr.read()).decode()
            lines.append(line.decode().strip())
    return process, lines
