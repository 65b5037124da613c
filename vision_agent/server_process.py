"""`vision-agent serve` as a child process, for commands that need a server for a moment."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 5.0

_ADDRESS = re.compile(r"http://\S+")


class ServerDidNotStart(RuntimeError):
    """The child ended before it answered; what it said stands on stderr."""


class ServerProcess:
    """Runs `vision-agent serve` on a free loopback port while the context lasts.

    Args:
        arguments: Further arguments of `serve`.
        stderr_to: A file for what it logs; our own standard error otherwise.
    """

    _start_process = staticmethod(asyncio.create_subprocess_exec)
    """Starts the child; a subclass may start it in another way."""

    def __init__(self, *arguments: str, stderr_to: Path | None = None) -> None:
        self._arguments = arguments
        self._stderr_to = stderr_to
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""
        self.says: list[str] = []
        """The lines it printed when it started."""

    @property
    def pid(self) -> int:
        """The child's process id."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    async def __aenter__(self) -> Self:
        with contextlib.ExitStack() as files:
            log = files.enter_context(self._stderr_to.open("wb")) if self._stderr_to else None
            self._process = await self._start_process(
                sys.executable,
                "-m",
                "vision_agent",
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                # Calls of a moment, in nobody's history; a later argument may say otherwise.
                "--session-db",
                "memory",
                # And of our own agent's: whoever started it may see what its tools are given.
                "--tool-reports",
                "full",
                # Whatever becomes of us, it does not stay behind: the pipe ends with this process.
                "--until-eof",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._read_announcement()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _read_announcement(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            self.says.append(line.strip())
            if not self.url and (found := _ADDRESS.search(line)):
                self.url = found.group()
            if line.startswith("Press Ctrl-C"):
                return
        raise ServerDidNotStart("The server did not start; the reason stands above.")

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)  # at once: SIGTERM would let calls go on for a while
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
