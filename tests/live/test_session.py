"""A live session through the real ADK runner and google-genai client, over a real socket."""

import asyncio
import socket
from contextlib import aclosing
from datetime import datetime

import pytest
import trustme
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.events.event import Event
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.genai import types

from tests.live.connection_notes import ConnectionNotes
from tests.live.scripted import MODELS, server
from tests.local.conftest import ScriptedEngine
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.errors import LiveFailure
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    AgentTurnComplete,
    UserTranscript,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession, read
from vision_agent.local.contract import Say, ToolRequest, Transcript


def tell_time() -> dict[str, str]:
    """Tell the time."""
    return {"time": datetime(2020, 1, 2, 3, 4).isoformat()}


class Conversation(ConnectionNotes):
    """A session, its events as they come, and what a test needs to wait for."""

    def __init__(
        self, running, model: str, *, api_key: str = "local", voice=None, **agent_args
    ) -> None:
        super().__init__()
        llm = gemini_at(f"https://127.0.0.1:{running.port}", running.certificate_pem, model=model)
        llm.client_kwargs["api_key"] = api_key
        agent = LlmAgent(name="tester", model=llm, tools=[tell_time], **agent_args)
        self.runner = Runner(
            app=App(name="tests", root_agent=agent), session_service=InMemorySessionService()
        )
        self.live_queue = LiveQueue()
        self.session = LiveSession(
            self.runner,
            make_run_config(CallOptions(voice=voice)),
            self.live_queue,
            ModelScope(user_id="u", observer=self, gate=self.live_queue),
            session_id="s",
            model=model,
        )

    def unanswered(self, why: str) -> None: ...

    async def until(self, *kinds):
        """Events up to one of each of these kinds, in order."""
        seen, missing = [], set(kinds)
        async with asyncio.timeout(20), aclosing(self.session.events()) as events:
            async for event in events:
                seen.append(event)
                missing.discard(type(event))
                if not missing:
                    return seen
        raise AssertionError(f"the session ended without {missing}: {seen}")


@pytest.mark.parametrize("model", MODELS)
async def test_typed_text_is_answered_with_voice_and_words_and_the_turn_ends(model):
    async with server(ScriptedEngine()) as running:
        talk = Conversation(running, model)
        talk.live_queue.text("hello")
        events = await talk.until(AgentTurnComplete)
    assert talk.connects == 1
    assert sum(len(e.pcm) for e in events if isinstance(e, AgentAudio)) > 24_000
    final = [e.text for e in events if isinstance(e, AgentTranscript) and e.final]
    assert final == ["You said hello."]
    deltas = "".join(e.text for e in events if isinstance(e, AgentTranscript) and not e.final)
    assert deltas.strip() == "You said hello."
    assert isinstance(events[-1], AgentTurnComplete)


@pytest.mark.parametrize("model", MODELS)
async def test_speech_is_transcribed_and_frames_reach_the_engine(model):
    engine = ScriptedEngine()
    engine.hears.append(Transcript("what is this", True))
    async with server(engine) as running:
        talk = Conversation(running, model)
        talk.live_queue.frame(b"\xff\xd8\xff a picture \xff\xd9")
        for level in [b"\x00\x10"] * 25 + [b"\x00\x00"] * 60:
            talk.live_queue.audio(level * 320)
        events = await talk.until(AgentTurnComplete)
    heard = [e.text.strip() for e in events if isinstance(e, UserTranscript) and e.final]
    assert heard == ["what is this"]
    (turn,) = engine.turns
    assert turn.frames[-1].jpeg == b"\xff\xd8\xff a picture \xff\xd9"


@pytest.mark.parametrize("model", MODELS)
async def test_a_tool_is_called_and_its_result_reaches_the_answer(model):
    engine = ScriptedEngine()
    engine.answers = lambda turn: (
        [Say(f"It is {turn.tool_results[-1]['response']['time']}.")]
        if turn.tool_results
        else [ToolRequest("tell_time", {})]
    )
    async with server(engine) as running:
        talk = Conversation(running, model)
        talk.live_queue.text("what time is it")
        events = await talk.until(AgentToolCall, AgentToolResult, AgentTranscript)
    assert [e.name for e in events if isinstance(e, AgentToolCall | AgentToolResult)] == [
        "tell_time"
    ] * 2


@pytest.mark.parametrize("model", MODELS)
async def test_speaking_over_the_answer_interrupts_it_and_nothing_of_it_follows(model):
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("A long answer. " * 20)]
    engine.hears.append(Transcript("stop", True))
    async with server(engine) as running:
        talk = Conversation(running, model)
        talk.live_queue.text("tell me a story")
        seen = []
        async with asyncio.timeout(20), aclosing(talk.session.events()) as events:
            async for event in events:
                seen.append(event)
                if (
                    isinstance(event, AgentAudio)
                    and sum(isinstance(e, AgentAudio) for e in seen) == 1
                ):
                    for _ in range(25):
                        talk.live_queue.audio(b"\x00\x10" * 320)
                if isinstance(event, AgentTurnComplete):
                    break
    broken_off = next(i for i, e in enumerate(seen) if isinstance(e, AgentInterrupted))
    assert not any(isinstance(e, AgentAudio) for e in seen[broken_off:])


async def test_the_adk_session_is_gone_after_the_conversation():
    async with server(ScriptedEngine()) as running:
        talk = Conversation(running, MODELS[0])
        talk.live_queue.text("hello")
        await talk.until(AgentTurnComplete)
        left = await talk.runner.session_service.list_sessions(app_name="tests", user_id="u")
    assert left.sessions == []


async def test_an_agent_that_fails_on_what_is_sent_ends_the_conversation_at_once():
    def before(callback_context, llm_request):
        raise LookupError("the words of the caller")

    async with server(ScriptedEngine()) as running:
        talk = Conversation(running, MODELS[0], before_model_callback=before)
        talk.live_queue.text("Hello?")
        with pytest.raises(LiveFailure, match=r"agent failed \(LookupError\)") as failure:
            await talk.until(AgentTurnComplete)
    assert failure.value.kind == "agent"


async def test_a_variable_that_an_instruction_needs_and_nobody_has_set_is_named_in_the_log(caplog):
    async with server(ScriptedEngine()) as running:
        talk = Conversation(running, MODELS[0], instruction="You serve {user:name}.")
        with pytest.raises(LiveFailure, match=r"agent failed \(KeyError\)"):
            await talk.until(AgentTurnComplete)
    assert "`user:name`" in caplog.text


async def test_a_refused_key_is_said_in_words():
    async with server(ScriptedEngine()) as running:
        with pytest.raises(LiveFailure, match=r"refused the key.*GOOGLE_API_KEY"):
            await Conversation(running, MODELS[0], api_key="invalid-key").until(AgentTurnComplete)


async def test_a_model_that_the_service_does_not_serve_is_said_in_words():
    async with server(ScriptedEngine()) as running:
        with pytest.raises(LiveFailure, match=r"'gemini-2\.5-pro' cannot be used for a call"):
            await Conversation(running, "gemini-2.5-pro").until(AgentTurnComplete)


async def test_a_service_that_cannot_be_reached_is_said_in_words():
    async with server(ScriptedEngine()) as running:
        pass
    # Bound and not listening: no other test's server gets the port meanwhile.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        running.port = nobody.getsockname()[1]
        with pytest.raises(LiveFailure, match="can't be reached"):
            await Conversation(running, MODELS[0]).until(AgentTurnComplete)


async def test_an_untrusted_service_is_said_in_words():
    async with server(ScriptedEngine()) as running:
        running.certificate_pem = trustme.CA().cert_pem.bytes().decode()
        with pytest.raises(LiveFailure, match="not trusted"):
            await Conversation(running, MODELS[0]).until(AgentTurnComplete)


def test_a_text_answer_is_the_agents_transcript_and_its_thoughts_are_not():
    def said(partial: bool, *parts: types.Part) -> Event:
        content = types.Content(role="model", parts=list(parts))
        return Event(author="agent", partial=partial, content=content)

    thought = types.Part(text="let me think", thought=True)
    assert list(read(said(True, thought, types.Part(text="Hel")))) == [
        AgentTranscript("Hel", False, "agent")
    ]
    assert list(read(said(False, types.Part(text="Hello")))) == [
        AgentTranscript("Hello", True, "agent")
    ]
