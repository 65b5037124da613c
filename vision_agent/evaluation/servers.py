"""The servers of a run. Each is started when a case first needs it, and is shared."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from vision_agent.evaluation.trials import ServerKey, Trial
from vision_agent.live.local_process import LocalLiveApi, LocalLiveApiError
from vision_agent.live.shared_local import VARIABLE, start_shared
from vision_agent.server_process import ServerDidNotStart, ServerProcess

_LAST_WORDS_BYTES = 4_000
_MOST_IDLE = 2
_MOST_CALLS = 500
# A run makes all its calls from one address, as many as it can.
_ENVIRONMENT = {
    "VISION_AGENT_MAX_CALLS": str(_MOST_CALLS),
    "VISION_AGENT_CALLS_PER_ADDRESS": "0",
    "VISION_AGENT_CALLS_PER_USER": "0",
    "VISION_AGENT_UNCONNECTED_CALLS_PER_ADDRESS": "0",
    "VISION_AGENT_OFFERS_PER_MINUTE": "0",
    "VISION_AGENT_OFFERS_PER_MINUTE_PER_USER": "0",
}


class CaseNotTried(RuntimeError):
    """There was no call, or the call did not end; the text says why."""


@dataclass(slots=True)
class _Started:
    """A server that trials share.

    Attributes:
        folder: The server's own folder.
        to_come: How many known trials will still need the server.
        users: How many trials use it now.
        failure: Why it does not start.
    """

    folder: Path
    to_come: int
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    server: ServerProcess | None = None
    failure: str | None = None


class ServerPool:
    """Starts and shares servers. One that no trial needs again ends; of the others, two may idle.

    Servers that the local engine answers share one local Live API.

    Args:
        folder: Holds the servers' logs and recordings.
        trials: The trials that are known to come.
        arguments: Further arguments of `serve`.
        record: Whether the servers record their calls.
        server_class: The class of the servers.
    """

    def __init__(
        self,
        folder: Path,
        trials: Iterable[Trial] = (),
        arguments: Sequence[str] = (),
        *,
        record: bool = False,
        server_class: Callable[..., ServerProcess] = ServerProcess,
    ) -> None:
        self._record = record
        self._to_come = Counter(trial.server for trial in trials if trial.server is not None)
        # Ordered by the time of the last use.
        self._servers: dict[ServerKey, _Started] = {}
        # One after the other: on a busy machine, several at once exceed their time to start.
        self._starting = asyncio.Lock()
        self._folder, self._arguments, self._class = folder, tuple(arguments), server_class
        self._local = _SharedEngine(folder)

    def folder(self, key: ServerKey) -> Path:
        """Return the folder of a server that has been used."""
        return self._servers[key].folder

    async def address(self, key: ServerKey) -> str:
        """Return the address of a server, and start it if it does not run.

        A `release` must follow in any case.

        Raises:
            CaseNotTried: It does not start.
        """
        one = self._servers.pop(key, None)
        if one is None:
            one = _Started(_new_folder(self._folder), self._to_come[key])
        self._servers[key] = one
        one.users += 1
        async with one.lock:
            if one.failure is not None:
                raise CaseNotTried(one.failure)
            if one.server is not None and not one.server.is_running:
                await self._stop(one)
            if one.server is None:
                one.server = await self._start(key, one)
            return one.server.url

    async def release(self, key: ServerKey) -> None:
        """Note that a trial no longer uses a server."""
        one = self._servers[key]
        one.users -= 1
        one.to_come -= 1
        idle = [each for each in self._servers.values() if each.server and not each.users]
        done = [each for each in idle if each.to_come == 0]
        others = [each for each in idle if each.to_come < 0]
        for each in (*done, *others[:-_MOST_IDLE]):
            async with each.lock:
                if not each.users:
                    await self._stop(each)

    async def close(self) -> None:
        """End all servers."""
        await asyncio.gather(*(self._stop(one) for one in self._servers.values()))
        await self._local.close()

    async def _start(self, key: ServerKey, one: _Started) -> ServerProcess:
        log = one.folder / "server.log"
        given = [*_arguments(key), *(("--record", str(one.folder)) if self._record else ())]
        try:
            async with self._starting:
                by_engine = key.model == "local" and key.scenario is None
                shared = await self._local.environment() if by_engine else {}
                server = self._class(
                    *given, *self._arguments, stderr_to=log, environment=_ENVIRONMENT | shared
                )
                return await server.__aenter__()
        except (ServerDidNotStart, TimeoutError, OSError) as error:
            one.failure = f"The server did not start: {_last_words(log) or error}"
            raise CaseNotTried(one.failure) from error

    async def _stop(self, one: _Started) -> None:
        server, one.server = one.server, None
        if server is not None:
            await server.__aexit__(None, None, None)


class _SharedEngine:
    """The local Live API that servers share; it is started when the first one needs it.

    Args:
        logs: The folder for its log.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._api: LocalLiveApi | None = None
        self._named: dict[str, str] = {}

    async def environment(self) -> dict[str, str]:
        """The environment variable by which a server finds it.

        Empty if it does not start: each server then starts its own, and says why if it can't.
        """
        if self._private is None:
            # The file in it holds the key.
            self._private = tempfile.TemporaryDirectory(prefix="vision-agent-local-")
            file = Path(self._private.name) / "address.json"
            with suppress(LocalLiveApiError, OSError, ValueError):
                log = self._logs / "local-live-api.log"
                self._api = await start_shared(file, _MOST_CALLS, log)
                self._named = {VARIABLE: str(file)}
        return self._named

    async def close(self) -> None:
        """End it."""
        if self._api is not None:
            await self._api.close()
        if self._private is not None:
            self._private.cleanup()


def _new_folder(parent: Path) -> Path:
    """Make a folder that no other server has: other runs may use the same parent.

    Raises:
        CaseNotTried: It can't be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            with suppress(FileExistsError):
                (parent / f"server-{number}").mkdir()
                break
    except OSError as error:
        raise CaseNotTried(f"{parent} can't be written: {error.strerror or error}.") from error
    return parent / f"server-{number}"


def _arguments(key: ServerKey) -> list[str]:
    arguments = ["--model", key.model]
    if key.agent is not None:
        arguments += ["--agent", key.agent]
    if key.scenario is not None:
        arguments += ["--scenario", str(key.scenario)]
    return arguments


def _last_words(log: Path) -> str:
    """Return the last line of a log: why the server ended."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_WORDS_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""
