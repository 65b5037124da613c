"""The speech worker as a child process, seen from the engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from vision_agent.local import speech_wire as wire

_WORKER = "vision_agent.local.speech_worker"
# Generous: only a worker that hangs needs so long, also on a machine that is very busy.
_START_TIMEOUT_S = 30.0
FRAME_TIMEOUT_S = 10.0
_END_TIMEOUT_S = 0.5


class SpeechError(Exception):
    """Nothing can be spoken, or what was being spoken is lost; the text says why."""


class SpeechProcess:
    """One worker. After any `SpeechError` it is of no more use and has to be ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to_worker = process.stdin
        self._from_worker = process.stdout

    @classmethod
    async def start(cls) -> SpeechProcess:
        """Starts a worker and waits until it has loaded espeak-ng.

        Raises:
            SpeechError: It did not come up.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _WORKER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Its small products gain nothing from numpy's threads, and it starts sooner.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise SpeechError(f"The speech process could not be started: {error}") from error
        worker = cls(process)
        try:
            kind, _, words = await worker.read(_START_TIMEOUT_S)
            if kind != wire.READY:
                raise SpeechError(words.decode(errors="replace") or "The speech process is broken.")
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether nothing is known of its death."""
        return self._process.returncode is None and not self._from_worker.at_eof()

    async def say(self, request: int, order: wire.Order) -> None:
        """Hands over a sentence; its PIECEs and its END have to be read before the next one.

        Raises:
            SpeechError: The worker is gone.
        """
        self._to_worker.write(wire.pack(wire.SAY, request, order.to_bytes()))
        try:
            await self._to_worker.drain()
        except ConnectionError as error:
            raise await self._death() from error

    def stop(self, request: int) -> None:
        """Tells the worker that a request is not wanted any more; its END still comes."""
        if self.alive and not self._to_worker.is_closing():
            self._to_worker.write(wire.pack(wire.STOP, request))

    async def read(self, timeout_s: float | None = None) -> tuple[bytes, int, bytes]:
        """Returns the next frame: kind, request, payload.

        Args:
            timeout_s: How long it may take; ``FRAME_TIMEOUT_S`` unless told.

        Raises:
            SpeechError: The worker is gone, hangs, or sends what is no frame.
        """
        timeout_s = FRAME_TIMEOUT_S if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                length = await self._from_worker.readexactly(wire.LENGTH.size)
                body = await self._from_worker.readexactly(wire.body_bytes(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._death() from error
        except TimeoutError as error:
            raise SpeechError(f"The speech process was silent for {timeout_s:g} s.") from error
        except wire.WireError as error:
            raise SpeechError(f"The speech process sent nonsense: {error}") from error
        return wire.unpack(body)

    async def end(self) -> None:
        """Ends the process, by the end of its input or else by force; safe to repeat."""
        self._to_worker.close()
        try:
            async with asyncio.timeout(_END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _death(self) -> SpeechError:
        await self.end()
        return SpeechError(
            f"The speech process ended unexpectedly (exit status {self._process.returncode})."
        )
