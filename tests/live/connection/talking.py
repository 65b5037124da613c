"""A conversation over a `ResilientConnection`, read by a background task as in a call."""

import asyncio
import ssl
from contextlib import aclosing, asynccontextmanager

from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.genai import types
from google.oauth2.credentials import Credentials

from tests.live.connection_notes import ConnectionNotes
from tests.local.live_clients import VERTEX_MODEL_2
from tests.support.conversing import conversing
from tests.support.local_connections import tear_off
from vision_agent.live.connection.gemini import LiveGemini, gemini_at
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.errors import LiveFailure
from vision_agent.live.events import (
    AgentAudio,
    AgentTranscript,
    AgentTurnComplete,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.local.contract import Say
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.server import serve

MODELS = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.8-live"]
LETTER_BYTES = 60 * 48


def gemini_on_vertex(
    base_url: str, certificate_pem: str, *, model: str, timeouts: Timeouts
) -> LiveGemini:
    """A model on a Vertex AI endpoint at this address."""
    trust = ssl.create_default_context(cadata=certificate_pem)
    return LiveGemini(
        model=model,
        base_url=base_url,
        timeouts=timeouts,
        client_kwargs={
            "enterprise": True,
            "project": "a-project",
            "location": "us-central1",
            "credentials": Credentials(token="any"),
            "http_options": types.HttpOptions(async_client_args={"ssl": trust}),
        },
    )


class Talk(ConnectionNotes):
    """A conversation that a background task reads, as in a call."""

    def __init__(self, server, model, timeouts, tools, sub_agents=()) -> None:
        super().__init__()

        def llm():
            url = f"https://127.0.0.1:{server.port}"
            at = gemini_on_vertex if model == VERTEX_MODEL_2 else gemini_at
            return at(url, server.certificate_pem, model=model, timeouts=timeouts)

        agent = LlmAgent(
            name="tester",
            model=llm(),
            tools=tools,
            instruction="Test.",
            sub_agents=[
                LlmAgent(name=name, model=llm(), instruction=f"Be {name}.") for name in sub_agents
            ],
        )
        runner = Runner(
            app=App(name="tests", root_agent=agent), session_service=InMemorySessionService()
        )
        self.live_queue = LiveQueue()
        self.events: list = []
        self.told: list[str] = []
        self.failure: LiveFailure | None = None
        self._changed = asyncio.Condition()
        self._session = LiveSession(
            runner,
            make_run_config(),
            self.live_queue,
            ModelScope(user_id="u", observer=self, gate=self.live_queue),
            session_id="s",
            model=model,
        )

    def unanswered(self, why: str) -> None:
        self.told.append(why)

    async def run(self) -> None:
        try:
            async with aclosing(self._session.events()) as events:
                async for event in events:
                    self.events.append(event)
                    async with self._changed:
                        self._changed.notify_all()
        except LiveFailure as failure:
            self.failure = failure
        async with self._changed:
            self._changed.notify_all()

    async def until(self, holds) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: holds() or self.failure)

    async def turns(self, number: int) -> None:
        await self.until(
            lambda: sum(isinstance(e, AgentTurnComplete) for e in self.events) >= number
        )

    @property
    def said(self) -> str:
        """The agent's transcript so far, joined from its pieces."""
        deltas = [
            " " if isinstance(e, AgentTurnComplete) else e.text
            for e in self.events
            if isinstance(e, AgentTurnComplete) or (isinstance(e, AgentTranscript) and not e.final)
        ]
        return " ".join("".join(deltas).split())

    @property
    def heard_bytes(self) -> int:
        return sum(len(e.pcm) for e in self.events if isinstance(e, AgentAudio))

    def count(self, kind) -> int:
        return sum(isinstance(e, kind) for e in self.events)


@asynccontextmanager
async def talking(engine, model=MODELS[0], *, timeouts=None, tools=(), faults="", sub_agents=()):
    scenario = read_scenario(f"faults: [{faults}]") if faults else None
    server = await serve("127.0.0.1", 0, engine, scenario=scenario)
    timeouts = timeouts or Timeouts(setup_s=5, budget_s=20)
    try:
        async with talking_to(server, model, timeouts, tools, sub_agents) as talk:
            yield server, talk
    finally:
        await server.close()


@asynccontextmanager
async def talking_to(server, model, timeouts, tools=(), sub_agents=()):
    """A conversation with a server, of which only the port and the certificate are used."""
    talk = Talk(server, model, timeouts, list(tools), sub_agents)
    async with conversing(talk):
        yield talk


def breaking_once(server_of, sentences):
    """Makes answers; the connection breaks while the first one is generated."""
    broken = []

    def answer(turn):
        yield Say(sentences[0])
        if not broken:
            broken.append(True)

            async def tear():
                server = server_of()
                await asyncio.sleep(0.1)  # the first sentence is being sent
                tear_off(server)
                await asyncio.Event().wait()

            yield tear
        for sentence in sentences[1:]:
            yield Say(sentence)

    return answer


LONG = "This is an answer that is some seconds long, and none of it may be missing."
