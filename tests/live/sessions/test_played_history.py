"""The answers that an ADK session keeps, with the real runner and client."""

import asyncio
from contextlib import aclosing

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

from tests.local.scripted_engine import ScriptedEngine
from tests.support.local_connections import forget_handles, tear_off
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.connection.ledger import Ledger
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentToolResult,
    AgentTranscript,
    AgentTurnComplete,
    LiveEvent,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.sessions.history import lines, restored
from vision_agent.live.sessions.played_history import PlayedHistoryPlugin
from vision_agent.live.sessions.store import make_store
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.server import serve

MODELS = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.8-live"]
STORY = "Once upon a time there was a very long story that nobody heard."


def tell_time() -> dict:
    """Tell the time."""
    return {"time": "noon"}


class Talk:
    """A call whose ADK session is kept when it is over."""

    def __init__(self, running, model: str, sessions, *, played=None) -> None:
        llm = gemini_at(f"https://127.0.0.1:{running.port}", running.certificate_pem, model=model)
        agent = LlmAgent(name="tester", model=llm, tools=[tell_time])
        app = App(name="tests", root_agent=agent, plugins=[PlayedHistoryPlugin()])
        self.sessions = sessions

        async def keep(**_: str) -> None:
            """Instead of deleting the session."""

        sessions.delete_session = keep
        self.live_queue = LiveQueue()
        self.session = LiveSession(
            Runner(app=app, session_service=sessions),
            make_run_config(),
            self.live_queue,
            ModelScope(user_id="u", gate=self.live_queue, played=played),
            session_id="s",
            model=model,
        )
        self.events: list[LiveEvent] = []

    async def until(self, *kinds: type, do=None) -> None:
        """Reads until one of each of these, in this order, has come."""
        missing = list(kinds)
        async with asyncio.timeout(20), aclosing(self.session.events()) as events:
            async for event in events:
                self.events.append(event)
                if isinstance(event, missing[0]):
                    missing.pop(0)
                    if do:
                        do(event)
                if not missing:
                    return

    async def remembered(self) -> list[tuple[str, str]]:
        session = await self.sessions.get_session(app_name="tests", user_id="u", session_id="s")
        said = []
        for event in session.events:
            for part in (event.content.parts if event.content else None) or []:
                if part.text and not part.thought:
                    said.append((event.author, part.text))
                if call := part.function_call or part.function_response:
                    said.append((event.author, call.name))
            if event.output_transcription:
                said.append((event.author, event.output_transcription.text.strip()))
        return said


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    if request.param == "memory":
        return InMemorySessionService()
    return SqliteSessionService(str(tmp_path / "sessions.db"))


@pytest.mark.parametrize("model", MODELS)
async def test_an_answer_heard_to_its_end_is_remembered_whole_and_told_once(model, sessions):
    running = await serve("127.0.0.1", 0, ScriptedEngine())
    try:
        talk = Talk(running, model, sessions, played=lambda: "never asked")
        talk.live_queue.text("hi")
        await talk.until(AgentTurnComplete)
        assert await talk.remembered() == [("user", "hi"), ("tester", "You said hi.")]
        finals = [e.text for e in talk.events if isinstance(e, AgentTranscript) and e.final]
        assert finals == ["You said hi."]
    finally:
        await running.close()


@pytest.mark.parametrize("played", ["Once upon a time …", ""])
@pytest.mark.parametrize("model", MODELS)
async def test_of_an_interrupted_answer_what_was_played_is_remembered(model, played, sessions):
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(STORY)]
    engine.hears.append(Transcript("stop", True))
    running = await serve("127.0.0.1", 0, engine)
    try:
        talk = Talk(running, model, sessions, played=lambda: played)

        def cut_in(event: LiveEvent) -> None:
            if isinstance(event, AgentAudio):
                for _ in range(25):
                    talk.live_queue.audio(b"\x00\x10" * 320)

        talk.live_queue.text("a story")
        await talk.until(AgentAudio, AgentInterrupted, AgentTurnComplete, do=cut_in)
        kept = [("tester", played)] if played else []
        assert await talk.remembered() == [("user", "a story"), *kept]
    finally:
        await running.close()


async def test_model_session_and_page_keep_the_same_words_while_the_speaker_goes_on(sessions):
    looks: list[str] = []

    def played() -> str:
        looks.append(" ".join(STORY.split()[: 3 + len(looks)]) + " …")
        return looks[-1]

    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(STORY if turn.text == "a story" else "Good.")]
    engine.hears.append(Transcript("stop", True))
    running = await serve("127.0.0.1", 0, engine)
    try:
        talk = Talk(running, MODELS[0], sessions, played=played)

        def go_on(event: LiveEvent) -> None:
            if isinstance(event, AgentAudio) and not looks:
                for _ in range(25):
                    talk.live_queue.audio(b"\x00\x10" * 320)
            elif isinstance(event, AgentTurnComplete):
                # The model gets a new session, to which the history is replayed.
                forget_handles(running)
                tear_off(running)
                talk.live_queue.text("go on")

        talk.live_queue.text("a story")
        await talk.until(
            AgentAudio, AgentInterrupted, AgentTurnComplete, AgentTurnComplete, do=go_on
        )
        words = "Once upon a …"
        assert [e.played for e in talk.events if isinstance(e, AgentInterrupted)] == [words]
        assert ("tester", words) in await talk.remembered()
        assert ("model", words) in engine.turns[-1].history
        assert len(looks) == 2  # at the interruption, and at the end of the call
    finally:
        await running.close()


async def test_an_answer_that_a_typed_line_cuts_off_stands_before_that_line():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(STORY if turn.text == "a story" else "Good.")]
    running = await serve("127.0.0.1", 0, engine)
    try:
        sessions = make_store("tests", url=None, resume_within_s=60, keep_s=60)
        talk = Talk(running, MODELS[1], sessions, played=lambda: "Once upon …")

        def cut_in(event: LiveEvent) -> None:
            if isinstance(event, AgentAudio) and not talk.live_queue.counters.texts > 1:
                talk.live_queue.text("stop")

        talk.live_queue.text("a story")
        kinds = (AgentAudio, AgentInterrupted, AgentTurnComplete, AgentTurnComplete)
        await talk.until(*kinds, do=cut_in)
        said = [("user", "a story"), ("tester", "Once upon …"), ("user", "stop")]
        assert await talk.remembered() == [*said, ("tester", "Good.")]
        # In the order in which a database returns them.
        session = await sessions.get_session(app_name="tests", user_id="u", session_id="s")
        session.events.sort(key=lambda event: event.timestamp)
        shown = [line.text for line in lines(restored(session.events))]
        assert shown == ["a story", "Once upon …", "stop", "Good."]
    finally:
        await running.close()


async def test_of_an_answer_whose_call_ends_what_was_played_is_remembered(sessions):
    engine = ScriptedEngine()
    running = await serve("127.0.0.1", 0, engine)
    try:
        talk = Talk(running, MODELS[0], sessions, played=lambda: "You …")
        talk.live_queue.text("hi")

        async with asyncio.timeout(20), aclosing(talk.session.events()) as events:
            async for event in events:
                if isinstance(event, AgentTranscript) and event.final:
                    break
        assert await talk.remembered() == [("user", "hi"), ("tester", "You …")]
    finally:
        await running.close()


@pytest.mark.parametrize("model", MODELS)
async def test_words_before_a_tool_call_stay_before_it(model, sessions):
    engine = ScriptedEngine()
    engine.answers = lambda turn: (
        [Say("Noon.")] if turn.tool_results else [Say("Wait."), ToolRequest("tell_time", {})]
    )
    running = await serve("127.0.0.1", 0, engine)
    try:
        talk = Talk(running, model, sessions)
        talk.live_queue.text("what time is it")
        await talk.until(AgentToolResult, AgentAudio, AgentTurnComplete)
        said = await talk.remembered()
        assert said[0] == ("user", "what time is it")
        assert {text for _, text in said[1:]} >= {"tell_time"}
        assert "Noon." in said[-1][1]
        words = " ".join(text for _, text in said)
        assert words.index("Wait.") < words.index("Noon.")
    finally:
        await running.close()


def test_a_new_model_session_is_told_what_was_played_of_an_interrupted_answer():
    ledger = Ledger()
    ledger.sent_content(types.Content(role="user", parts=[types.Part(text="a story")]))
    for content in (
        types.LiveServerContent(output_transcription=types.Transcription(text=STORY)),
        types.LiveServerContent(generation_complete=True),
        types.LiveServerContent(interrupted=True),
        types.LiveServerContent(turn_complete=True),
    ):
        played = "Once …" if content.interrupted else None
        ledger.received(types.LiveServerMessage(server_content=content), played)
    told = [part.text for content in ledger.lost().contents for part in content.parts]
    assert told == ["a story", "Once …"]
