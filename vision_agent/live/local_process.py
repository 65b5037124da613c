"""The local Live API as a child process: started, restarted, and ended with this process.

It is a separate process so that speech recognition and OCR never delay the media, and so that the
same wire protocol is used as with the real service. It runs native code; if that crashes it, it is
restarted at another address, which every new connection asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from vision_agent.own_models import OwnModels

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 0.5

AWAY_S = 5.0
"""How long a connection waits for a restart; usually a restart takes two seconds."""

STABLE_S = 10.0
"""A child that lasted this long is restarted at once; otherwise each restart waits longer."""

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 10.0


class LocalLiveApiError(RuntimeError):
    """The local Live API could not be started."""


class LocalLiveApiAway(ConnectionError):
    """The local Live API has ended and has not been restarted yet."""


class Address(NamedTuple):
    """Where a Live API listens, and what it takes to connect.

    Attributes:
        base_url: `https://127.0.0.1:port`.
        certificate_pem: The certificate that it has made at its start; the only one to trust.
        api_key: The one key that it accepts, so that no other program of this machine uses it.
    """

    base_url: str
    certificate_pem: str
    api_key: str


class LocalApi(Protocol):
    """A local Live API that runs, in a child of this process or for several processes together."""

    answers_within_s: float | None
    """How long an answer may take to begin; None for the usual time."""

    @property
    def problem(self) -> str | None:
        """Why it can't be reached at the moment, as a sentence; None if it can be."""

    @property
    def restarts(self) -> int:
        """How often it has ended by itself and was started again."""

    @property
    def newest_address(self) -> Address:
        """Where it listens, or listened."""

    async def address(self) -> Address:
        """Where it listens; waits while it is being restarted; `LocalLiveApiAway` if too long."""

    async def close(self) -> None:
        """End it, or the use of it."""


class LocalLiveApi:
    """A local Live API that runs until `close`, in successive child processes.

    Args:
        scenario: A file that says what it answers and what goes wrong; None for its own engine.
        data_dir: Where it keeps what users teach; None keeps it in memory.
        most_calls: How many calls there may be at the same time.
        own_models: Servers of the user's own that do a part of its work.
        stderr_to: A file for the children's logs; None: this process's standard error.
        on_change: Called when it has started, has ended by itself, or can't be started again.
    """

    def __init__(
        self,
        scenario: Path | None,
        data_dir: Path | None,
        most_calls: int,
        own_models: OwnModels | None = None,
        *,
        stderr_to: Path | None = None,
        on_change: Callable[[LocalApi], None] = lambda _: None,
    ) -> None:
        self._stderr_to, self._on_change = stderr_to, on_change
        self._environment = (
            {"VISION_AGENT_LOCAL_OWN_MODELS": own_models.to_json()} if own_models else {}
        )
        brain = own_models.brain if own_models else None
        self.answers_within_s = brain.answers_within_s if brain else None
        self._arguments = (
            *(("--scenario", str(scenario)) if scenario else ()),
            *(("--data-dir", str(data_dir)) if data_dir else ()),
            # A call has two connections while it changes from one to the other.
            *("--max-connections", str(2 * most_calls)),
        )
        self._child: _Child | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.problem: str | None = None
        self.restarts = 0

    @classmethod
    async def start(
        cls,
        scenario: Path | None = None,
        data_dir: Path | None = None,
        most_calls: int = 32,
        own_models: OwnModels | None = None,
        *,
        stderr_to: Path | None = None,
        on_change: Callable[[LocalApi], None] = lambda _: None,
    ) -> Self:
        """Start it on a free port and wait until it listens.

        Args: See the class.

        Raises:
            LocalLiveApiError: It does not start.
        """
        server = cls(
            scenario, data_dir, most_calls, own_models, stderr_to=stderr_to, on_change=on_change
        )
        server._child = await server._start_child()
        server._up.set()
        server._on_change(server)
        server._keeper = asyncio.create_task(server._keep(server._child), name="local Live API")
        return server

    @property
    def pid(self) -> int:
        """The process id of the newest child."""
        return self._newest.process.pid

    @property
    def newest_address(self) -> Address:
        """Where the newest child listens, or listened."""
        return self._newest.address

    async def address(self) -> Address:
        """Where it listens; waits while it is being restarted.

        Raises:
            LocalLiveApiAway: It has not been restarted within a few seconds.
        """
        try:
            async with asyncio.timeout(AWAY_S):
                await self._up.wait()
        except TimeoutError:
            raise LocalLiveApiAway(self.problem or "The local Live API is not there.") from None
        return self._newest.address

    async def close(self) -> None:
        """End it and wait until the process has ended."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await self._child.end()

    @property
    def _newest(self) -> _Child:
        if self._child is None:
            raise RuntimeError("the local Live API has not been started")
        return self._child

    async def _start_child(self) -> _Child:
        return await _Child.start(self._arguments, self._environment, self._stderr_to)

    async def _keep(self, child: _Child) -> None:
        """Restart it whenever it ends."""
        now_s = asyncio.get_running_loop().time
        delay_s = FIRST_DELAY_S
        while True:
            began_s = now_s()
            status = await child.process.wait()
            self._up.clear()
            self.restarts += 1
            if now_s() - began_s >= STABLE_S:
                delay_s = FIRST_DELAY_S
            self.problem = (
                f"The local Live API ended unexpectedly (exit status {status}) and is being "
                "started again."
            )
            self._on_change(self)
            logger.warning("%s", self.problem)
            await child.end()
            while True:
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)
                try:
                    child = self._child = await self._start_child()
                    break
                except (LocalLiveApiError, OSError) as error:
                    self.problem = f"The local Live API can't be started again: {error}"
                    self._on_change(self)
                    logger.warning("%s Trying again in %g s.", self.problem, delay_s)
            self.problem = None
            self._up.set()
            self._on_change(self)


@dataclass(frozen=True, slots=True)
class _Child:
    """One child process that listens."""

    address: Address
    process: asyncio.subprocess.Process

    start_process = staticmethod(asyncio.create_subprocess_exec)
    """Starts the process; the tests' servers start it in another way."""

    @classmethod
    async def start(
        cls, arguments: tuple[str, ...], environment: Mapping[str, str], stderr_to: Path | None
    ) -> Self:
        api_key = secrets.token_urlsafe(24)
        with contextlib.ExitStack() as files:
            log = files.enter_context(stderr_to.open("ab")) if stderr_to else None
            process = await cls.start_process(
                sys.executable,
                "-m",
                "vision_agent.local",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                *arguments,
                # The child ends when this pipe closes, so it never outlives this process.
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # Ctrl-C reaches the terminal's whole process group; the child is ended by `close`.
                start_new_session=True,
                env={
                    # For the child and its workers: their matrices are small, and OpenBLAS's
                    # threads would wait for each other by spinning.
                    "OPENBLAS_NUM_THREADS": "1",
                    **os.environ,
                    "VISION_AGENT_LOCAL_KEY": api_key,
                    **environment,
                },
            )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await process.stdout.readline()
            announced = json.loads(line)
            base_url = f"https://127.0.0.1:{announced['port']}"
            return cls(Address(base_url, announced["certificate"], api_key), process)
        except (TimeoutError, ValueError, KeyError) as error:
            await _end(process)
            raise LocalLiveApiError(
                "The local Live API did not start; what it printed stands above."
            ) from error
        except asyncio.CancelledError:
            await _end(process)
            raise

    async def end(self) -> None:
        await _end(self.process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        logger.info("the local Live API did not end in time; it is killed")
        # Its workers end as well: each reads a pipe that closes with it.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
