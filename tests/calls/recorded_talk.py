"""Plays a recorded session as the model's side of a call; the client's messages are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from google.adk.apps.app import App
from google.adk.events.event import Event
from google.adk.runners import Runner
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.base_tool import BaseTool
from google.genai import types

from tests.support.conversing import conversing
from tests.support.recorded_agent import recorded_agent, recorded_tools
from tests.support.recorded_service import PAUSE_CHUNKS, Playing, RecordedService, kind_of
from tests.support.recorded_sessions import RecordedSession, facts_of
from tests.support.waiting import until
from vision_agent.calls.agent_output import AgentOutput
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.options import OutputOptions
from vision_agent.live.errors import LiveFailure
from vision_agent.live.events import AgentAudio, LiveEvent, TokenUsage
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.sessions.played_history import PlayedHistoryPlugin
from vision_agent.live.tools.background import BackgroundTools, ToolLimits, explain_errors
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.rtc import Channel


class Shown(Channel):
    """The caller's channel, which records its messages in order."""

    def __init__(self) -> None:
        super().__init__(None, {})
        self.messages: list[tuple[str, object]] = []

    def _send(self, kind, data=None) -> None:
        self.messages.append((kind, data))

    def of(self, kind: str) -> list:
        return [data for each, data in self.messages if each == kind]

    @property
    def user_lines(self) -> list[str]:
        return [line["text"] for line in self.of("user-transcription") if line["final"]]

    @property
    def agent_lines(self) -> list[str]:
        return [line["text"] for line in self.of("bot-transcription")]

    @property
    def captions(self) -> str:
        return "".join(piece["text"] for piece in self.of("bot-tts-text"))

    @property
    def turns(self) -> int:
        return sum(data["kind"] == "turn_complete" for data in self.of("server-message"))


class RecordedTalk:
    """A caller who repeats the recorded client's actions as soon as the recording waits for them.

    Attributes:
        playing: The recording, as it is played.
        shown: What the caller's client is shown.
        events: What happened on the model's side.
        failure: Why the conversation ended; None while it goes on.
    """

    def __init__(self, playing: Playing, runner: Runner, tools: Sequence[BaseTool]) -> None:
        self._tools = tools
        self.playing = playing
        self.shown = Shown()
        self.events: list[LiveEvent] = []
        self.failure: LiveFailure | None = None
        self.live_queue = LiveQueue()
        self.cancelled: list[str] = []
        self.runner = runner
        metrics = Metrics()
        self.output = AgentOutput(
            CallerView(self.shown, lambda _: None),
            metrics,
            CallTrace(metrics, 0.0, {}),
            OutputOptions(barge_in_hold_ms=0, tool_reports="full"),
            overhear=self._note,
        )
        self._news = asyncio.Condition()
        scope = ModelScope(
            user_id="u",
            observer=self.output,
            gate=self.live_queue,
            played=self.output.played,
            tools=BackgroundTools(ToolLimits(), ToolThreads()),
        )
        self._session = LiveSession(
            runner,
            make_run_config(),
            self.live_queue,
            scope,
            session_id="s",
            model=playing.session.model,
        )

    def _note(self, event: LiveEvent) -> None:
        self.events.append(event)

    async def run(self) -> None:
        try:
            await self.output.run(self._session)
        except LiveFailure as failure:
            self.failure = failure

    async def act(self) -> None:
        """Do what the recorded client did, until all of the recording has been played."""
        while (message := await self.playing.wanted.get()) is not None:
            if kind_of(message) == "question":
                turns = message["client_content"]["turns"]
                texts = [part["text"] for part in turns[-1]["parts"] if "text" in part]
                self.live_queue.text(" ".join(texts))
            elif kind_of(message) == "sound":
                for level in [b"\x00\x20"] * 10 + [bytes(2)] * PAUSE_CHUNKS:
                    self.live_queue.audio(level * 320)
        assert self.playing.stuck is None, f"never done: {self.playing.stuck}"

    async def kept(self) -> list[str]:
        """The answers that ADK's session keeps."""
        session = await self.runner.session_service.get_session(
            app_name="tests", user_id="u", session_id="s"
        )
        return [e.output_transcription.text for e in session.events if e.output_transcription]

    async def until(self, holds) -> None:
        await until(lambda: holds() or self.failure)

    @property
    def sound(self) -> bytes:
        return b"".join(event.pcm for event in self.events if isinstance(event, AgentAudio))

    @property
    def runs(self) -> list[tuple[str, dict]]:
        """The tools that have run, as (name, arguments)."""
        return [(tool.name, args) for tool in self._tools for args in tool.runs]

    @property
    def tokens(self) -> int:
        usage = [event for event in self.events if isinstance(event, TokenUsage)]
        return sum(each.counts.total("prompt", "response") for each in usage)


def seeded(session: RecordedSession) -> list[types.Content]:
    """The earlier conversation that the recorded client told the model."""
    return [
        types.Content.model_validate(turn)
        for message in session.sent_by("client")
        if kind_of(message) == "context"
        for turn in message["client_content"]["turns"]
    ]


@asynccontextmanager
async def talking(
    service: RecordedService,
    session: RecordedSession,
    *,
    name: str = "",
    tools: Sequence[BaseTool] | None = None,
    sizes: Sequence[int] = (1920,),
    session_service: BaseSessionService | None = None,
) -> AsyncIterator[RecordedTalk]:
    name = name or session.name
    playing = service.add(name, session, sizes)
    tools = recorded_tools(session) if tools is None else tools
    agent = recorded_agent(service, name, session, *tools)
    explain_errors(agent)
    app = App(name="tests", root_agent=agent, plugins=[PlayedHistoryPlugin()])
    if session_service is None:
        # A session that exists is not deleted with the call.
        session_service = InMemorySessionService()
        kept = await session_service.create_session(app_name="tests", user_id="u", session_id="s")
        for content in seeded(session):
            author = "user" if content.role == "user" else agent.name
            await session_service.append_event(kept, Event(author=author, content=content))
    talk = RecordedTalk(playing, Runner(app=app, session_service=session_service), tools)
    async with conversing(talk):
        yield talk


async def played(service: RecordedService, session: RecordedSession, **options) -> RecordedTalk:
    """Play all of a recording, and return what became of it."""
    async with talking(service, session, **options) as talk:
        await talk.act()
        turns = facts_of(session).turns
        await talk.until(lambda: talk.shown.turns >= turns)
    return talk
