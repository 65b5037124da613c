"""`vision-agent talk` as a process, and what it prints."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.forked import start_forked


class Talk:
    """A running `talk`; `text` is what it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.text = ""

    async def until(self, words: str, timeout: float = 150) -> None:
        try:
            async with asyncio.timeout(timeout):
                while words not in self.text:
                    more = await self.process.stdout.read(4096)
                    assert more, f"it ended without {words!r}:\n{self.text}"
                    self.text += more.decode()
        except TimeoutError:
            pytest.fail(f"{words!r} did not come within {timeout:g} s:\n{self.text}")

    async def ends(self, timeout: float = 120) -> int:
        async with asyncio.timeout(timeout):
            self.text += (await self.process.stdout.read()).decode()
            return await self.process.wait()


@contextlib.asynccontextmanager
async def talking(*arguments: str | Path, **options) -> AsyncIterator[Talk]:
    process = await start_forked(
        *(sys.executable, "-m", "vision_agent", "talk"),
        *(str(argument) for argument in arguments),
        **{"stdin": asyncio.subprocess.DEVNULL} | options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Talk(process)
    finally:
        if process.returncode is None:
            # The server that it started holds the same pipe, and is ended with it.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
