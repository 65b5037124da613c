"""A conversation continues in another call: in the model's own session, or from its history."""

import asyncio
from contextlib import aclosing

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner

from tests.live.scripted import MODELS, server
from tests.local.conftest import ScriptedEngine
from tests.support.waiting import until
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.events import AgentTranscript, AgentTurnComplete
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.sessions.played_history import PlayedHistoryPlugin
from vision_agent.live.sessions.store import SessionLease, make_store
from vision_agent.live.shown import Shown

HANDLES = {"handles": "turn end"}
"""Each handle covers the turn before it, on 3.8 as well."""


class House:
    """A store that outlives its calls, and a new agent for each call."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.store = make_store("tests", url=None, resume_within_s=600, keep_s=600)

    async def call(
        self, running, token: str | None, text: str, frame: bytes | None = None
    ) -> tuple[SessionLease, list[str]]:
        """Make one call with one question.

        Returns:
            The lease of its session, and the answers.
        """
        url = f"https://127.0.0.1:{running.port}"
        llm = gemini_at(url, running.certificate_pem, model=self.model)
        agent = LlmAgent(name="tester", model=llm)
        app = App(
            name="tests", root_agent=agent, plugins=[PlayedHistoryPlugin()]
        )  # as in the product
        lease = await self.store.begin(token)
        before = lease.handle
        live_queue = LiveQueue()
        session = LiveSession(
            Runner(app=app, session_service=self.store),
            make_run_config(),
            live_queue,
            ModelScope(user_id=lease.user_id, gate=live_queue, handles=lease),
            session_id=lease.session_id,
            model=self.model,
        )
        live_queue.text(text, [] if frame is None else [Shown(frame)])
        answers = []
        async with asyncio.timeout(30), aclosing(session.events()) as events:
            async for event in events:
                if isinstance(event, AgentTranscript) and event.final:
                    answers.append(event.text)
                if isinstance(event, AgentTurnComplete):
                    break
            await until(lambda: lease.handle not in (None, before))  # it comes after the turn
        self.store.end(lease)
        return lease, answers


@pytest.mark.parametrize("model", MODELS)
async def test_the_models_session_goes_on_where_it_still_exists(model):
    engine, house = ScriptedEngine(), House(model)
    async with server(engine, **HANDLES) as running:
        first, _ = await house.call(running, None, "one", frame=b"\xff\xd8\xff seen \xff\xd9")
        _, answers = await house.call(running, first.token, "two")
    assert answers == ["You said two."]
    turn = engine.turns[-1]
    assert [text for _, text in turn.history] == ["one", "You said one."]
    # A replayed history has no frames, so this is the model's own session.
    assert [frame.jpeg for frame in turn.frames] == [b"\xff\xd8\xff seen \xff\xd9"]


@pytest.mark.parametrize("model", MODELS)
async def test_where_it_is_gone_the_model_is_told_and_answers_nothing_twice(model):
    house, engine = House(model), ScriptedEngine()
    async with server(ScriptedEngine(), **HANDLES) as running:
        first, _ = await house.call(running, None, "one")
    async with server(engine, **HANDLES) as another:
        _, answers = await house.call(another, first.token, "two")
    assert answers == ["You said two."]
    assert [text for _, text in engine.turns[-1].history] == ["one", "You said one."]
    assert [role for role, _ in engine.turns[-1].history] == ["user", "model"]
    assert len(engine.turns) == 1


async def test_adk_alone_would_have_the_model_answer_what_it_has_answered(monkeypatch):
    """When this fails, `history.restored` need not take the live session's id away any more."""
    monkeypatch.setattr("vision_agent.live.sessions.store.restored", list)
    house, engine = House(MODELS[1]), ScriptedEngine()
    # As on Vertex, where the service names its sessions.
    async with server(ScriptedEngine(), session_id=True, **HANDLES) as running:
        first, _ = await house.call(running, None, "one")
    async with server(engine, session_id=True, **HANDLES) as another:
        await house.call(another, first.token, "two")
    assert all(role == "user" for role, _ in engine.turns[0].history)
