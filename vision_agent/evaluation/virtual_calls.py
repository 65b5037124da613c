"""Calls in virtual time, made by a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_agent.evaluation.virtual_call import VirtualCall
from vision_agent.replay import Report

LONGEST_S = 1800.0
"""The longest real time of a call. An agent that talks with other processes needs real time."""

_END_S = 2.0


class VirtualProcessEnded(RuntimeError):
    """The process that makes the calls has crashed, or hung; the text says which."""


class VirtualCalls:
    """Makes one call after the other in virtual time; its owner closes it.

    The caller, the product's server and the local Live API run in one child process on a
    `virtual_time` loop. The process is started at the first call, which takes some seconds, and
    again after a crash. Its log goes to standard error.

    Args:
        stderr_to: A file for the log instead.
    """

    start_process = staticmethod(asyncio.create_subprocess_exec)
    """Starts the process; tests start it in another way."""

    def __init__(self, stderr_to: Path | None = None) -> None:
        self._stderr_to = stderr_to
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def make(self, call: VirtualCall) -> Report:
        """Make a call; see `replay`. The times of the report are those of the virtual clock.

        Raises:
            VirtualProcessEnded: The process crashed.
            ServerNotStarted: There is no such agent, or the scenario is not valid.
            BadRecording: A recording can't be replayed.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(LONGEST_S):
                    outcome = await self._outcome(pickle.dumps(call))
            except BaseException as error:
                # A crashed process gets time to leave its status.
                status = await self._end(_END_S if isinstance(error, OSError | EOFError) else 0)
                if isinstance(error, TimeoutError):
                    raise VirtualProcessEnded(
                        f"The call was given up after {LONGEST_S / 60:.0f} minutes of real time."
                    ) from error
                if isinstance(error, OSError | EOFError):
                    raise VirtualProcessEnded(
                        f"The process that makes calls in virtual time ended (status {status})."
                    ) from error
                raise
        if isinstance(outcome, Report):
            return outcome
        assert isinstance(outcome, Exception)
        raise outcome

    async def _outcome(self, job: bytes) -> object:
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job)
        await process.stdin.drain()
        # `IncompleteReadError` is an `EOFError`.
        length = int.from_bytes(await process.stdout.readexactly(8), "big")
        return pickle.loads(await process.stdout.readexactly(length))

    async def _start(self) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as files:
            log = files.enter_context(self._stderr_to.open("ab")) if self._stderr_to else None
            return await self.start_process(
                sys.executable,
                "-m",
                "vision_agent.evaluation.virtual_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # Its matrices are small, and OpenBLAS's threads would wait for each other by
                # spinning, which counts as work.
                env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
            )

    async def _end(self, within_s: float) -> int | None:
        """End the process; returns its status, None if there was none."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                return await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()

    async def close(self) -> None:
        """End the process; the next call starts another."""
        await self._end(_END_S)


class VirtualPool:
    """Makes several calls at once, each in a process of its own; processes are reused.

    Args:
        folder: Holds the processes' logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[VirtualCalls] = []
        self._idle: list[tuple[VirtualCalls, Mapping[str, Any]]] = []

    async def make(self, call: VirtualCall) -> Report:
        """Make a call; see `VirtualCalls.make`."""
        # A process that has this server already, or else the one that has been idle longest.
        fits = (at for at, (_, has) in enumerate(self._idle) if has == call.settings)
        if self._idle:
            calls, _ = self._idle.pop(next(fits, 0))
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            calls = VirtualCalls(self._folder / f"process-{len(self._all) + 1}.log")
            self._all.append(calls)
        try:
            return await calls.make(call)
        finally:
            self._idle.append((calls, call.settings))

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(calls.close() for calls in self._all))
