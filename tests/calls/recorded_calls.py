"""The product's server in this process, with the agents of recorded sessions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from google.adk.apps.app import App
from google.adk.tools.base_tool import BaseTool

from tests.support.recorded_agent import recorded_agent, recorded_tools
from tests.support.recorded_service import Playing, RecordedService, recorded_service
from tests.support.recorded_sessions import RecordedSession
from vision_agent import Settings, create_app


class RecordedCalls:
    """Attributes: `url` of the server; `playing` and `tools` of each agent, by its name."""

    def __init__(self) -> None:
        self.url = ""
        self.playing: dict[str, Playing] = {}
        self.tools: dict[str, Sequence[BaseTool]] = {}

    def add(
        self,
        service: RecordedService,
        name: str,
        session: RecordedSession,
        sizes: Sequence[int],
    ) -> App:
        self.playing[name] = service.add(name, session, sizes)
        self.tools[name] = recorded_tools(session)
        agent = recorded_agent(service, name, session, *self.tools[name])
        return App(name=name, root_agent=agent)

    def runs(self, name: str) -> list[tuple[str, dict]]:
        """The tools of an agent that have run, as (name, arguments)."""
        return [(tool.name, args) for tool in self.tools[name] for args in tool.runs]


@asynccontextmanager
async def recorded_calls(
    sessions: Mapping[str, RecordedSession], *, sizes: Sequence[int] = (1920,), **settings: Any
) -> AsyncIterator[RecordedCalls]:
    """Serve each session as an agent of that name."""
    module, calls = sys.modules[__name__], RecordedCalls()
    async with recorded_service() as service:
        for name, session in sessions.items():
            setattr(module, name, calls.add(service, name, session, sizes))
        specs = ",".join(f"{__name__}:{name}" for name in sessions)
        app = create_app(
            Settings(
                _env_file=None, agent=specs, session_db="memory", tool_reports="full", **settings
            )
        )
        web = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        serving = asyncio.create_task(web._serve())
        while not web.started:
            assert not serving.done() or serving.result()
            await asyncio.sleep(0.01)
        calls.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield calls
        finally:
            web.should_exit = True
            await serving
            for name in sessions:
                delattr(module, name)
