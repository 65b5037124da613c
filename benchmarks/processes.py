"""Servers and callers as processes, and their cost as psutil sees it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
_START_S = 90.0


class BenchmarkFailed(RuntimeError):
    """A server or a caller failed; `str(error)` says which, and what it printed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds and resident memory of a process, and of all its children together, at a time."""

    at_s: float
    own_cpu_s: float
    children_cpu_s: float
    own_rss_mb: float
    children_rss_mb: float


class Server:
    """A server's process, from its start until it is stopped.

    Args:
        command: What to run; "{port}" in it becomes a free port.
        ready_path: Answers with 200 once the server serves.
    """

    def __init__(self, command: Sequence[str], ready_path: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.boot_s = 0.0
        self._command = [part.format(port=self.port) for part in command]
        self._ready_path = ready_path
        self._process: asyncio.subprocess.Process | None = None
        self._log: asyncio.Task[bytes] | None = None

    async def __aenter__(self) -> Server:
        began_s = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=HERE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        self._log = asyncio.create_task(self._process.stdout.read())
        try:
            while not await asyncio.to_thread(self._answers):
                if self._process.returncode is not None:
                    said = (await self._log).decode(errors="replace")[-2000:]
                    raise BenchmarkFailed(f"{' '.join(self._command)} ended:\n{said}")
                if time.monotonic() - began_s > _START_S:
                    raise BenchmarkFailed(f"{' '.join(self._command)} didn't answer.")
                await asyncio.sleep(0.1)
        except BaseException:
            await self.stop()
            raise
        self.boot_s = time.monotonic() - began_s
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    def usage(self) -> Usage:
        """Measure the process and its children now."""
        assert self._process is not None
        if self._process.returncode is not None:
            raise BenchmarkFailed(f"{self._command[1]} ended in the middle of a call.")
        process = psutil.Process(self._process.pid)
        cpu_s, rss_mb = 0.0, 0.0
        for child in process.children(recursive=True):
            try:
                cpu_s, rss_mb = cpu_s + _cpu_s(child), rss_mb + child.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue  # the child has ended meanwhile
        own_rss_mb = process.memory_info().rss / 1e6
        return Usage(time.monotonic(), _cpu_s(process), cpu_s, own_rss_mb, rss_mb)

    async def stop(self) -> None:
        """End the process; its children end with it."""
        process = self._process
        if process is None or self._log is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self._log

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self._ready_path, timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class Caller:
    """A running `caller.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._errors: asyncio.Task[bytes] | None = None

    @classmethod
    async def dial(cls, arguments: Sequence[str]) -> tuple[Caller, float]:
        """Start a caller and wait until it is connected; return it and its connected_ms."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "caller.py"),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        caller = cls(process)
        caller._errors = asyncio.create_task(process.stderr.read())
        return caller, float((await caller._line(60))["connected_ms"])

    async def figures(self, timeout_s: float) -> dict[str, Any]:
        """End the call and return what the caller measured."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        figures = await self._line(timeout_s)
        await asyncio.wait_for(self._process.wait(), 20)
        return figures

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        if self._process.returncode is not None:
            raise BenchmarkFailed("A caller ended in the middle of its call.")
        return _cpu_s(psutil.Process(self._process.pid))

    async def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._errors is not None:
            await self._errors

    async def _line(self, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._errors is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        except TimeoutError:
            line = b""
        if not line:
            await self.stop()
            said = (await self._errors).decode(errors="replace")[-2000:]
            raise BenchmarkFailed(f"A caller ended or said nothing:\n{said}")
        return dict(json.loads(line))


def machine_busy_s() -> float:
    """CPU seconds the whole machine has been busy, all cores together."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq)


def free_port() -> int:
    """Return a TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
