"""Children of the fork server, with the interface of asyncio's subprocesses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from tests.support.fork_request import ADDRESS_VARIABLE, Request

ROOT = Path(__file__).parent.parent.parent

LOCAL_API = "vision_agent.local"
VOICE = "vision_agent.local.engine.speech.hibari_worker"
"""The modules whose processes run networks, and have a fork server of their own that has them."""

KEPT = ("vision_agent.local.engine.hearing.recognizer_worker", VOICE)
"""The modules whose processes serve one parent after another, see `kept_worker`."""

_NETWORKS = "-networks"
"""Added to the fork server's address for its socket for them."""

_address = os.environ.get(ADDRESS_VARIABLE)
"""The fork server's address; pytest's workers get it from the variable."""

_started: subprocess.Popen[bytes] | None = None
"""The fork server, if this process started it; it ends when its standard input is closed."""

sockets: list[socket.socket] = []
"""Sockets to ask with, of a process that leaves the fork server's network namespace."""

_held_open: int | None = None
"""Our end of the worker server's standard input."""


def start_fork_server() -> None:
    """Starts the fork server of this process and its children, if there is none yet.

    It imports in the background; a request waits for that. It ends with this process.
    """
    global _address, _started
    if _address is not None:
        return
    # In Linux's abstract namespace: no file stays behind.
    _address = f"tests-fork-server-{os.getpid()}"
    os.environ[ADDRESS_VARIABLE] = _address
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as networks:
        for each, address in ((listener, _address), (networks, f"{_address}{_NETWORKS}")):
            each.bind(f"\0{address}")
            each.listen(64)
        files = [listener.fileno(), networks.fileno()]
        _started = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=files,
            # A pool of threads does not survive a fork.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            cwd=ROOT,
        )


def start_worker_server(arguments: Sequence[str]) -> str:
    """Starts the process that collects the tests and forks pytest's workers; it ends with this one.

    Args:
        arguments: The arguments of pytest.

    Returns:
        The command that starts a worker in place of Python.
    """
    global _held_open
    start_fork_server()
    address = f"{_address}-workers-{os.getpid()}"
    (stdin, _held_open), (told, stdout) = os.pipe(), os.pipe()
    # Modules of tests make images when they are imported, which must start no thread pool.
    environment = {**os.environ, "OPENCV_FOR_THREADS_NUM": "1"}
    streams = [stdin, stdout, 2]
    with _ask("tests.support.worker_server", [address, *arguments], environment, None, streams):
        for end in (stdin, stdout):
            os.close(end)
        with open(told) as lines:
            if not lines.readline():
                raise RuntimeError("The worker server has ended; it said why on standard error.")
    command = ["env", f"PYTHONPATH={ROOT}", f"{ADDRESS_VARIABLE}={address}", sys.executable, "-S"]
    return shlex.join(
        [*command, "-m", "tests.support.forked_command", "tests.support.worker", str(_address)]
    )


def _ask(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    folder: Path | None,
    streams: Sequence[int],
    *,
    new_session: bool = False,
) -> socket.socket:
    """Asks for a child; its pid and its exit status arrive on the connection."""
    start_fork_server()
    connection = sockets.pop() if sockets else socket.socket(socket.AF_UNIX)
    connection.connect(f"\0{_address}{_NETWORKS if module in (LOCAL_API, VOICE) else ''}")
    env = dict(os.environ if environment is None else environment)
    here = str(folder or Path.cwd())
    request = Request(module, list(arguments), env, here, new_session, module in KEPT)
    request.send(connection, list(streams))
    return connection


def run_forked(
    module: str,
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Replaces `subprocess.run` for ``python -m module …`` with empty standard input."""
    if sys.platform != "linux":
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env=env,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with open(os.devnull, "rb") as stdin:
            streams = [stdin.fileno(), stdout.fileno(), stderr.fileno()]
            connection = _ask(module, arguments, env, cwd, streams)
        connection.settimeout(timeout)
        with connection, connection.makefile("r") as told:
            pid = int(told.readline())
            try:
                status = int(told.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
        printed = []
        for file in (stdout, stderr):
            file.seek(0)
            printed.append(file.read().decode())
    return subprocess.CompletedProcess([module, *arguments], status, *printed)


class ForkedProcess:
    """A child of the fork server, with the used part of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, ended: asyncio.Task[int]) -> None:
        self.pid = pid
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._ended = ended

    @classmethod
    async def start(
        cls,
        program: str,
        *arguments: str,
        stdin: int | IO[bytes] | None = None,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        start_new_session: bool = False,
    ) -> Self:
        """Replaces `asyncio.create_subprocess_exec` for ``python -m module …``."""
        option, module, *rest = arguments
        assert (program, option) == (sys.executable, "-m"), "only a Python module can be forked"
        ours: dict[int, int] = {}
        streams = [0, 1, 2]
        with contextlib.ExitStack() as theirs:
            for number, wanted in enumerate((stdin, stdout, stderr)):
                if wanted == subprocess.PIPE:
                    ends = os.pipe() if number == 0 else os.pipe()[::-1]
                    streams[number], ours[number] = ends
                    theirs.callback(os.close, streams[number])
                elif wanted == subprocess.DEVNULL:
                    streams[number] = os.open(os.devnull, os.O_RDWR)
                    theirs.callback(os.close, streams[number])
                elif wanted == subprocess.STDOUT:
                    streams[number] = streams[1]
                elif wanted is not None:
                    streams[number] = wanted if isinstance(wanted, int) else wanted.fileno()
            told = _ask(module, rest, env, cwd, streams, new_session=start_new_session)
        reader, writer = await asyncio.open_connection(sock=told)
        if not (pid := await reader.readline()):
            raise RuntimeError("The fork server has ended; it said why on standard error.")
        ended = asyncio.create_task(_exit_status(reader, writer), name=f"exit status of {module}")
        child = cls(int(pid), ended)
        if 0 in ours:
            child.stdin = await _writer(ours[0])
        if 1 in ours:
            child.stdout = await _reader(ours[1])
        if 2 in ours:
            child.stderr = await _reader(ours[2])
        return child

    async def communicate(self, input: bytes = b"") -> tuple[bytes, bytes]:
        """Writes the input, reads all output, and waits for the exit."""
        if self.stdin is not None:
            self.stdin.write(input)
            self.stdin.close()
        readers = [each for each in (self.stdout, self.stderr) if each is not None]
        printed = await asyncio.gather(*(each.read() for each in readers))
        await self.wait()
        return printed[0], printed[-1]

    @property
    def returncode(self) -> int | None:
        """The exit status, or minus the number of the fatal signal; None before the exit."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """The exit status, when it has ended."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Sends a signal; ProcessLookupError if the process has ended."""
        if self._ended.done():
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def _writer(end: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(end, "wb", 0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _reader(end: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    pipe = os.fdopen(end, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader


async def _exit_status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    try:
        return int(await reader.readline())
    finally:
        writer.close()


start_forked = ForkedProcess.start if sys.platform == "linux" else asyncio.create_subprocess_exec
"""Starts ``python -m module …``, on Linux as a fork."""
