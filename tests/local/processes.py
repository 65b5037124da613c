"""The local Live API as a process, and the processes that it starts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil

from vision_agent.local.server import LocalServer


@asynccontextmanager
async def running(
    *arguments: str, start: Any = asyncio.create_subprocess_exec
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start(
        sys.executable,
        "-m",
        "vision_agent.local",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def announced(process: asyncio.subprocess.Process) -> LocalServer:
    assert process.stdout is not None
    async with asyncio.timeout(START_WITHIN_S):
        line = json.loads(await process.stdout.readline())
    assert set(line) == {"port", "certificate"}
    return LocalServer(line["port"], line["certificate"], None)  # type: ignore[arg-type]


def family(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


START_WITHIN_S = 60
