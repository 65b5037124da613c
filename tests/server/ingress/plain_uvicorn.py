"""`uvicorn` as its users run it: of the product, only `create_app` is used."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.forked import ForkedProcess, start_forked
from tests.support.scenarios import TONES


@dataclass
class Uvicorn:
    """A running server."""

    url: str
    process: asyncio.subprocess.Process | ForkedProcess


@asynccontextmanager
async def plain_uvicorn(
    factory: str, *arguments: str, **environment: str
) -> AsyncIterator[Uvicorn]:
    """Runs `uvicorn --factory FACTORY` on a free port; the test may end the process.

    Args:
        factory: `module:function`.
        arguments: Further arguments.
        environment: Further variables.
    """
    command = (sys.executable, "-m", "uvicorn", "--factory", factory, "--port", "0", *arguments)
    ours = {"VISION_AGENT_SESSION_DB": "memory", "VISION_AGENT_SCENARIO": str(TONES)}
    process = await start_forked(
        *command,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ours, **environment},
    )
    reading = None
    try:
        async with asyncio.timeout(90):
            while not (found := re.search(r"running on (\S+)", line := await _line(process))):
                assert line, "uvicorn ended"
        # The pipe is read to its end: a full one would block the server.
        reading = asyncio.create_task(process.stderr.read())
        yield Uvicorn(found[1], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading


async def _line(process: asyncio.subprocess.Process | ForkedProcess) -> str:
    return (await process.stderr.readline()).decode()
