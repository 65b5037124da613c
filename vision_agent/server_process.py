"""`vision-agent serve` as a child process, for commands and tests that need a server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 5.0

_ADDRESS = re.compile(r"https?://\S+")


class ServerDidNotStart(RuntimeError):
    """The child ended before it listened; the reason is on its standard error."""


class ServerProcess:
    """Runs `vision-agent serve` on a free loopback port, for as long as the context lasts.

    Args:
        arguments: Further arguments of `serve`.
        stderr_to: A file for the log; None passes it on to this process's standard error.
        environment: Variables for the child, in addition to those of this process.

    Attributes:
        url: The server's address, `http://127.0.0.1:port`.
        says: The lines printed at the start.

    Raises:
        ServerDidNotStart: On entering: the child ended before it listened.
        TimeoutError: On entering: the child did not listen within `START_TIMEOUT_S`.
    """

    _start_process = staticmethod(asyncio.create_subprocess_exec)
    """Starts the child; a subclass may start it in another way."""

    def __init__(
        self,
        *arguments: str,
        stderr_to: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._stderr_to = stderr_to
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""
        self.says: list[str] = []

    @property
    def pid(self) -> int:
        """The child's process id; `RuntimeError` while it does not run."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

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
                "--no-https",
                # Short-lived calls need no history; a later argument can override this.
                "--session-db",
                "memory",
                # Whoever starts the agent may see its tools' arguments and results.
                "--tool-reports",
                "full",
                # The pipe ends with this process, so the child never outlives it.
                "--until-eof",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self._environment} if self._environment else None,
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
        process.send_signal(signal.SIGINT)  # SIGTERM would let calls go on for a while
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
