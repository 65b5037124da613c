"""A server whose local Live API follows a scenario: both in this process, on this event loop."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import uvicorn

from vision_agent.live.local_process import Address, LocalLiveApiAway
from vision_agent.local import LocalServer, load_scenario, serve
from vision_agent.server.app import app_of
from vision_agent.server.listening import listen
from vision_agent.server.video_agent import VideoAgent
from vision_agent.settings import Settings

LOOPBACK = "127.0.0.1"

_SETTLES_S = 1.0
"""The longest time in which a server finishes a call's recording."""

_DEFAULTS = {"port": 0, "udp_port": 0, "session_db": "memory", "tool_reports": "full"}


class ScriptedLiveApi:
    """A local Live API in this process; see `LocalApi` for its attributes."""

    answers_within_s: float | None = None
    problem: str | None = None

    def __init__(self) -> None:
        self.restarts = 0
        self._key = secrets.token_urlsafe(24)
        self._server: LocalServer | None = None

    async def play(self, scenario: Path) -> None:
        """Follow a scenario from its beginning; connections of the last one are closed.

        Raises:
            ScenarioError: It says something impossible.
            ValueError: It needs the engine.
        """
        script = load_scenario(scenario)
        await self.close()
        self._server = await serve(LOOPBACK, 0, None, scenario=script, api_key=self._key)

    @property
    def newest_address(self) -> Address:
        """Where it listens."""
        if self._server is None:
            raise LocalLiveApiAway("No scenario is being played.")
        port, certificate = self._server.port, self._server.certificate_pem
        return Address(f"https://{LOOPBACK}:{port}", certificate, self._key)

    async def address(self) -> Address:
        """Where it listens."""
        return self.newest_address

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()
            self._server = None


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are the process's own


class ScriptedServer:
    """Answers calls by scenarios.

    Attributes:
        url: The server's address.
    """

    def __init__(self, url: str, video: VideoAgent, live_api: ScriptedLiveApi) -> None:
        self.url = url
        self._video, self._live_api = video, live_api

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Mapping[str, Any], scenario: Path) -> AsyncIterator[Self]:
        """Serve an agent within the context.

        Args:
            settings: Options of the server (`Settings`).
            scenario: The scenario until `playing` names another one.

        Raises:
            AgentError: There is no usable agent.
            ScenarioError: The scenario says something impossible.
            ValueError: It needs the engine.
        """
        live_api = ScriptedLiveApi()

        async def started() -> ScriptedLiveApi:
            await live_api.play(scenario)
            return live_api

        options = {**_DEFAULTS, **settings, "model": "local"}
        video = VideoAgent(Settings(**options), own_process=True, start_local=started)
        async with video.lifespan():
            with listen(LOOPBACK, 0) as bound:
                server = _QuietServer(
                    uvicorn.Config(
                        app_of(video),
                        ws="none",
                        lifespan="off",
                        proxy_headers=False,
                        log_level="warning",
                        log_config=None,
                        timeout_graceful_shutdown=1,
                    )
                )
                # A connection that comes before uvicorn accepts connections waits.
                bound.listen()
                serving = asyncio.create_task(server.serve(sockets=[bound]))
                try:
                    yield cls(f"http://{LOOPBACK}:{bound.getsockname()[1]}", video, live_api)
                finally:
                    server.should_exit = True
                    await serving

    @asynccontextmanager
    async def playing(self, scenario: Path) -> AsyncIterator[None]:
        """Follow a scenario from its beginning; on exit, wait until no call is left.

        Raises:
            ScenarioError: It says something impossible.
            ValueError: It needs the engine.
        """
        await self._live_api.play(scenario)
        yield
        while len(self._video.registry):  # noqa: ASYNC110 - it ends within milliseconds
            await asyncio.sleep(0.01)
        await asyncio.sleep(_SETTLES_S)
