"""The parent's end of a `worker_pipe`: a child process that is restarted when it dies.

Recognition and synthesis run this way: native code that is busy, not thread-safe or under another
licence stays out of the server's process, and a crash costs one answer instead of every call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Mapping

from vision_agent.local.engine.worker_pipe import (
    HEADER,
    LONGEST_BYTES,
    READY,
    REFUSAL,
    WorkerMessage,
    packed,
)

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0

_log = logging.getLogger(__name__)


class WorkerFailed(RuntimeError):
    """The worker could not start; the message gives the reason in one sentence."""


class WorkerProcess:
    """Starts ``python -m module``, and restarts it when it dies.

    Args:
        module: Dotted name of a module that makes an ``Inbox``.
        name: The worker's name in errors and the log; a sentence begins with it.
        on_message: Called on the event loop for every message of the child.
        on_ready: Called on the event loop whenever a child takes jobs: after the first start, and
            after each restart, when the jobs of the dead child have to be sent again.
        on_lost: Called on the event loop when a child that took jobs has died, with a sentence
            that says so; not called on `close`.
        on_refused: Called on the event loop when the child refuses to take jobs, with its reason in
            words; it is not started again.
        environment: The child's variables in addition to the parent's.
    """

    start_process = staticmethod(asyncio.create_subprocess_exec)
    """Starts the child; the tests' servers start it in another way."""

    def __init__(
        self,
        module: str,
        name: str,
        on_message: Callable[[WorkerMessage], None],
        *,
        on_ready: Callable[[], None] = lambda: None,
        on_lost: Callable[[str], None] = lambda _: None,
        on_refused: Callable[[str], None] = lambda _: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._name = name
        self._on_message = on_message
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._on_refused = on_refused
        self._environment = environment or {}
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._failure = ""
        self._refused = False
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the present child; None if there is none."""
        return self._child.pid if self._child else None

    @property
    def refused(self) -> bool:
        """Whether the last child refused to take jobs, for the reason that `ready` has given."""
        return self._refused

    def start(self) -> None:
        """Start in the background, if not started; ``ready`` waits for it, ``close`` ends it."""
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name=f"worker {self._module}")

    async def ready(self, timeout_s: float) -> None:
        """Wait until the child takes jobs.

        Raises:
            WorkerFailed: The child was not ready in time, or ended before. It is restarted
                nevertheless, until ``close``, unless it has refused to take jobs.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise WorkerFailed(f"{self._name} did not start within {timeout_s:g} s.") from None
        if self._failure:
            raise WorkerFailed(self._failure)

    def send(self, op: int, job: int, payload: bytes = b"") -> bool:
        """Queue a message for the child; False if no child takes jobs.

        The pipe's buffer is not bounded here: the caller bounds the number and size of its jobs.
        """
        if self._child is None or not self._ready.is_set():
            return False
        stdin = self._child.stdin
        if stdin is None or stdin.is_closing():
            return False
        stdin.write(packed(op, job, payload))
        return True

    def restart(self, why: str) -> None:
        """Kill the present child; a new one is started in its place.

        Args:
            why: A sentence for the log.
        """
        if self._child is not None:
            _log.error("%s %s It is ended.", self._name, why)
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()

    async def close(self) -> None:
        """End the child: EOF on its stdin, and a kill if that does not help within a second."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    async def _keep(self) -> None:
        delay_s = _FIRST_DELAY_S
        while True:
            served = await self._run_once()
            if self._refused:
                return
            _log.warning("starting again: %s", self._failure)
            self.restarts += 1
            # The delay grows for a child that dies before it takes jobs: without it the restarts
            # would follow each other at once.
            delay_s = _FIRST_DELAY_S if served else min(delay_s * 2, _LONGEST_DELAY_S)
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> bool:
        """Run one child from start to end; returns whether it took jobs."""
        self._failure, self._refused = "", False
        try:
            # In a session of its own: Ctrl-C reaches only the parent, which closes the pipe and so
            # ends the child.
            self._child = child = await self.start_process(
                sys.executable,
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        except OSError as error:
            self._failure = f"{self._name} could not be started: {error}"
            self._tell_waiting()
            return False
        handled = True
        try:
            await self._read(child)
        except Exception:
            # A callback failed. The child is ended and its jobs are sent to the next one, because
            # otherwise the waiter for this answer would wait without end.
            _log.exception("a message of %s could not be handled", self._module)
            handled = False
        finally:
            served = self._ready.is_set()
            self._ready.clear()
            self._child = None
            await self._reap(child)
        if not self._refused:
            self._failure = f"{self._name} ended unexpectedly (exit status {child.returncode})."
        if served:
            self._tell_lost()
        else:
            self._tell_waiting()
        return served and handled

    def _tell_lost(self) -> None:
        try:
            self._on_lost(self._failure)
        except Exception:
            _log.exception("the end of %s could not be handled", self._module)

    def _tell_waiting(self) -> None:
        """Wake the present waiters, who see the failure; later ones wait for the next child."""
        self._ready.set()
        self._ready.clear()

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while True:
            try:
                header = await child.stdout.readexactly(HEADER.size)
                op, job, length = HEADER.unpack(header)
                if length > LONGEST_BYTES:
                    _log.error("%s sent a message of %d bytes", self._module, length)
                    return
                payload = await child.stdout.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if op == READY:
                self._ready.set()
                self._on_ready()
            elif op == REFUSAL:
                self._failure, self._refused = payload.decode(errors="replace"), True
                self._on_refused(self._failure)
            else:
                self._on_message(WorkerMessage(op, job, payload))

    @staticmethod
    async def _reap(child: asyncio.subprocess.Process) -> None:
        if child.stdin is not None:
            child.stdin.close()
        waiting = asyncio.ensure_future(child.wait())
        try:
            async with asyncio.timeout(1.0):
                await asyncio.shield(waiting)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await waiting
