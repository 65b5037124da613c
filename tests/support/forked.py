"""Children of the fork server, held as asyncio holds those that it starts itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Self

from tests.support.fork_request import Request
from vision_agent.live import local_process
from vision_agent.server_process import ServerProcess

ROOT = Path(__file__).parent.parent.parent

ADDRESS_VARIABLE = "TESTS_FORK_SERVER"
"""The name under which the fork server listens, for its children and for pytest's workers."""

_started: subprocess.Popen[bytes] | None = None
"""The fork server, where this process has started it; it ends when its standard input is closed."""


def start_fork_server() -> None:
    """Starts the one that this process and its children use, if there is none yet.

    It imports in the background; a request waits for that. It ends when this process does.
    """
    global _started
    if ADDRESS_VARIABLE in os.environ:
        return
    # In Linux's abstract namespace: no file stays behind.
    address = f"tests-fork-server-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        _started = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            # A pool of threads does not survive a fork.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            cwd=ROOT,
        )
    os.environ[ADDRESS_VARIABLE] = address


class ForkedProcess:
    """A child of the fork server, with what of `asyncio.subprocess.Process` the product uses."""

    def __init__(self, pid: int, ended: asyncio.Task[int]) -> None:
        self.pid = pid
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self._ended = ended

    @classmethod
    async def start(
        cls,
        program: str,
        *arguments: str,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        start_new_session: bool = False,
    ) -> Self:
        """In the place of `asyncio.create_subprocess_exec`, for ``python -m module …``."""
        option, module, *rest = arguments
        assert (program, option) == (sys.executable, "-m"), "only a Python module can be forked"
        environment = dict(os.environ if env is None else env)
        request = Request(module, rest, environment, os.getcwd(), start_new_session)
        streams = [0, 1, 2 if stderr is None else stderr.fileno()]
        ours: dict[int, int] = {}
        with contextlib.ExitStack() as theirs:
            if stdin == subprocess.PIPE:
                streams[0], ours[0] = os.pipe()
                theirs.callback(os.close, streams[0])
            if stdout == subprocess.PIPE:
                ours[1], streams[1] = os.pipe()
                theirs.callback(os.close, streams[1])
            start_fork_server()
            told = socket.socket(socket.AF_UNIX)
            told.connect(f"\0{os.environ[ADDRESS_VARIABLE]}")
            request.send(told, streams)
        reader, writer = await asyncio.open_connection(sock=told)
        if not (pid := await reader.readline()):
            raise RuntimeError("The fork server has ended; it said why on standard error.")
        ended = asyncio.create_task(_exit_status(reader, writer), name=f"exit status of {module}")
        child = cls(int(pid), ended)
        loop = asyncio.get_running_loop()
        if 0 in ours:
            transport, protocol = await loop.connect_write_pipe(
                asyncio.streams.FlowControlMixin, os.fdopen(ours[0], "wb", 0)
            )
            child.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
        if 1 in ours:
            child.stdout = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(child.stdout)
            await loop.connect_read_pipe(lambda: protocol, os.fdopen(ours[1], "rb", 0))
        return child

    @property
    def returncode(self) -> int | None:
        """The exit status, minus the signal's number where a signal ended it; None before that."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """The exit status, when it has ended."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError where it has ended."""
        if self._ended.done():
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def _exit_status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    try:
        return int(await reader.readline())
    finally:
        writer.close()


class ForkedServer(ServerProcess):
    """`vision-agent serve`, forked from a process that has imported it, as is its local Live API.

    Neither is a child of the process that asked for it. On systems other than Linux it is started
    as users start it.
    """

    if sys.platform == "linux":
        _start_process = staticmethod(ForkedProcess.start)


@contextlib.contextmanager
def forked_local_servers() -> Iterator[None]:
    """The local Live APIs that this process starts are forked."""
    really = local_process._Child.start_process
    if sys.platform == "linux":
        local_process._Child.start_process = staticmethod(ForkedProcess.start)
    try:
        yield
    finally:
        local_process._Child.start_process = staticmethod(really)
