"""A conversation with an agent whose tools run beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService

from tests.live.connection_notes import ConnectionNotes
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.events import (
    AgentToolResult,
    AgentTranscript,
    LiveEvent,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.replaced_answer import mark_replaced_answers, mark_replaced_answers_of
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.tools.background import (
    BackgroundTools,
    ToolLimits,
    explain_errors,
    guard_plugins,
)
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.local.contract import Say, ToolRequest
from vision_agent.local.server import serve

WAITING = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.1-flash-live-preview"]
"""Models that wait for their tools, and cancel them when the caller cuts in."""

GOING_ON = "gemini-3.8-live"
"""A model that goes on while a tool runs."""


class Talk(ConnectionNotes):
    """A session that a task reads, and its events so far."""

    def __init__(self, live_queue: LiveQueue) -> None:
        super().__init__()
        self.live_queue = live_queue
        self.events: list[LiveEvent] = []
        self.notices: list[str] = []
        self.reading: asyncio.Task[None] = None
        self._arrived = asyncio.Condition()

    async def read(self, session: LiveSession) -> None:
        async with aclosing(session.events()) as events:
            async for event in events:
                async with self._arrived:
                    self.events.append(event)
                    self._arrived.notify_all()

    async def failed(self) -> None:
        """Wait for the end of the session, and raise what it ended with."""
        async with asyncio.timeout(20):
            await self.reading

    async def until(self, wanted: Callable[[LiveEvent], bool]) -> LiveEvent:
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: any(map(wanted, self.events)))
        return next(filter(wanted, self.events))

    async def said(self, words: str) -> None:
        def so_far(_: LiveEvent) -> bool:
            deltas = [e.text for e in self.events if isinstance(e, AgentTranscript) and not e.final]
            return words in "".join(deltas)

        await self.until(so_far)

    async def result(self) -> dict:
        found = await self.until(lambda e: isinstance(e, AgentToolResult))
        assert isinstance(found, AgentToolResult)
        return dict(found.result)

    def speak(self) -> None:
        for _ in range(25):
            self.live_queue.audio(b"\x00\x10" * 320)

    def fall_silent(self) -> None:
        for _ in range(60):
            self.live_queue.audio(b"\x00\x00" * 320)


@asynccontextmanager
async def talking(
    model: str,
    *tools: object,
    limits: ToolLimits | None = None,
    beside: bool = True,
    plugins=(),
    **agent_args,
) -> AsyncIterator[tuple[Talk, ScriptedEngine]]:
    """An agent whose model says a long sentence, calls its first tool, and tells the result."""
    engine = ScriptedEngine()
    name = tools[0].name if hasattr(tools[0], "name") else tools[0].__name__
    engine.answers = lambda turn: (
        [Say(" ".join(map(str, turn.tool_results[-1]["response"].values())))]
        if turn.tool_results
        else [Say("I will look it up."), ToolRequest(name, {})]
        if "look" in turn.text
        else [Say("Good.")]
    )
    running = await serve("127.0.0.1", 0, engine)
    llm = gemini_at(f"https://127.0.0.1:{running.port}", running.certificate_pem, model=model)
    agent = LlmAgent(name="tester", model=llm, tools=list(tools), **agent_args)
    for child in agent.sub_agents:
        if isinstance(child, LlmAgent):
            child.model = llm
    explain_errors(agent)
    guard_plugins(plugins)
    mark_replaced_answers(agent)
    mark_replaced_answers_of(plugins)
    talk = Talk(LiveQueue())
    session = LiveSession(
        Runner(
            app=App(name="t", root_agent=agent, plugins=list(plugins)),
            session_service=InMemorySessionService(),
        ),
        make_run_config(),
        talk.live_queue,
        ModelScope(
            user_id="u",
            observer=talk,
            gate=talk.live_queue,
            tools=BackgroundTools(limits or ToolLimits(), ToolThreads(), talk.notices.append)
            if beside
            else None,
        ),
        session_id="s",
        model=model,
    )
    talk.reading = reading = asyncio.create_task(talk.read(session))
    try:
        yield talk, engine
        assert not reading.done() or reading.exception() is None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await running.close()
