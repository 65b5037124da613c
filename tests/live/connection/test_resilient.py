"""Conversations that outlive their connections, with ADK, google-genai and a server that fails."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from tests.live.connection.talking import (
    LETTER_BYTES,
    MODELS,
    breaking_once,
    talking,
)
from tests.local.scripted_engine import ScriptedEngine
from tests.support.local_connections import forget_handles, tear_off
from tests.support.waiting import until
from vision_agent.live.connection.observer import Nobody
from vision_agent.live.connection.resilient import ResilientConnection
from vision_agent.live.connection.resumption import ledger_for
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    UserTranscript,
)
from vision_agent.local.contract import Say, ToolRequest, Transcript


@pytest.mark.parametrize("model", MODELS)
async def test_a_connection_lost_between_turns_is_not_noticed(model):
    engine = ScriptedEngine()
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        tear_off(server)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert talk.failure is None
    assert talk.connects == 2
    assert talk.said == "You said one. You said two."
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert ("user", "one") in engine.turns[1].history
    assert ("model", "You said one.") in engine.turns[1].history


@pytest.mark.parametrize("model", MODELS)
async def test_an_answer_that_the_connection_broke_in_is_heard_whole_and_once(model):
    engine = ScriptedEngine()
    servers = []
    engine.answers = breaking_once(lambda: servers[0], ["First half.", "Second half."])
    async with talking(engine, model) as (server, talk):
        servers.append(server)
        talk.live_queue.text("tell me")
        await talk.turns(1)
    assert talk.said == "First half. Second half."
    assert talk.heard_bytes == LETTER_BYTES * len("First half.Second half.")
    assert talk.count(AgentInterrupted) == 0
    assert talk.connects == 2
    assert len(talk.losses) == 1
    final = [e.text for e in talk.events if isinstance(e, AgentTranscript) and e.final]
    assert final == ["First half. Second half."]


async def test_another_answer_to_the_same_question_replaces_what_was_not_heard_yet():
    engine = ScriptedEngine()
    servers = []
    first = breaking_once(lambda: servers[0], ["Old words here.", "And more."])
    engine.answers = lambda turn: first(turn) if len(engine.turns) == 1 else [Say("New words now.")]
    async with talking(engine) as (server, talk):
        servers.append(server)
        talk.live_queue.text("tell me")
        await talk.turns(1)
    assert talk.count(AgentInterrupted) == 1
    cut = next(i for i, e in enumerate(talk.events) if isinstance(e, AgentInterrupted))
    after = [e for e in talk.events[cut:] if isinstance(e, AgentTranscript) and not e.final]
    assert "".join(e.text for e in after).strip() == "New words now."
    voiced = sum(len(e.pcm) for e in talk.events[cut:] if isinstance(e, AgentAudio))
    assert voiced == LETTER_BYTES * len("New words now.")


@pytest.mark.parametrize("model", MODELS)
async def test_typed_words_whose_answer_never_began_are_answered_once(model):
    engine = ScriptedEngine()
    may_answer = asyncio.Event()
    engine.answers = lambda turn: [may_answer.wait, Say(f"You said {turn.text}.")]
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await until(lambda: engine.turns)
        tear_off(server)
        may_answer.set()
        await talk.turns(1)
    assert talk.said == "You said one."
    assert talk.connects == 2


async def test_speech_that_the_connection_broke_in_is_heard_as_one_utterance():
    engine = ScriptedEngine()
    engine.hears += [Transcript("the whole sentence", True)] * 2
    async with talking(engine) as (server, talk):
        loud, quiet = b"\x00\x10" * 320, bytes(640)
        for _ in range(25):
            talk.live_queue.audio(loud)
        await until(lambda: engine.fed_bytes >= 25 * 640)
        tear_off(server)
        for chunk in [loud] * 25 + [quiet] * 60:
            talk.live_queue.audio(chunk)
        await talk.turns(1)
    assert engine.fed_bytes >= 25 * 640 + (25 + 25 + 60) * 640
    heard = [e.text.strip() for e in talk.events if isinstance(e, UserTranscript) and e.final]
    assert heard == ["the whole sentence"]
    assert [turn.text for turn in engine.turns] == ["the whole sentence"]


async def test_a_spoken_question_that_was_understood_is_not_heard_again_but_answered():
    engine = ScriptedEngine()
    engine.hears.append(Transcript("what is this", True))
    may_answer = asyncio.Event()
    engine.answers = lambda turn: [may_answer.wait, Say("A cup.")]
    async with talking(engine) as (server, talk):
        for chunk in [b"\x00\x10" * 320] * 25 + [bytes(640)] * 60:
            talk.live_queue.audio(chunk)
        await talk.until(lambda: talk.count(UserTranscript))
        tear_off(server)
        may_answer.set()
        await talk.turns(1)
    assert talk.said == "A cup."
    texts = [e.text for e in talk.events if isinstance(e, UserTranscript) and not e.final]
    assert "".join(texts).strip() == "what is this"


@pytest.mark.parametrize("model", MODELS)
async def test_a_handle_that_is_void_costs_the_session_but_not_the_conversation(model):
    engine = ScriptedEngine()
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        forget_handles(server)
        tear_off(server)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert talk.said == "You said one. You said two."
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert ("model", "You said one.") in engine.turns[1].history


@pytest.mark.parametrize("model", MODELS)
async def test_a_tool_is_run_once_though_the_connection_broke_while_it_ran(model):
    engine = ScriptedEngine()
    runs = []
    servers = []

    async def measure() -> dict[str, int]:
        """Measure it."""
        runs.append(True)
        tear_off(servers[0])
        await asyncio.sleep(0.3)
        return {"metres": 42}

    def answer(turn):
        # A new session gets the call in the form that its model accepts: as parts, or as text.
        results = [each["response"] for each in turn.tool_results]
        if results == [{"metres": 42}] or turn.text.endswith('measure has given {"metres": 42}.)'):
            return [Say("It is 42.")]
        return [ToolRequest("measure", {})]

    engine.answers = answer
    async with talking(engine, model, tools=[measure]) as (server, talk):
        servers.append(server)
        talk.live_queue.text("how long is it")
        await talk.until(lambda: "42" in talk.said)
    assert len(runs) == 1
    assert talk.said == "It is 42."
    assert talk.count(AgentToolCall) == 1


@pytest.mark.parametrize(
    "faults",
    [
        "{refuse: 503, times: 3, at: {connection: 2}}",
        "{refuse: reset, times: 2, at: {connection: 2}}",
        "{setup_complete_s: never, at: {connection: 2}}",
        "{drop: 1013, at: {connection: 2, setup: true}}",
    ],
)
async def test_a_service_that_does_not_take_the_call_back_at_once_is_asked_until_it_does(faults):
    engine = ScriptedEngine()
    timeouts = Timeouts(setup_s=1.5, budget_s=30)
    async with talking(engine, timeouts=timeouts, faults=faults) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        tear_off(server)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert talk.failure is None
    assert talk.said == "You said one. You said two."
    assert ("model", "You said one.") in engine.turns[1].history


@pytest.mark.parametrize(
    "fault", ["oversized_bytes: 2000000", "garbage: not-json", "garbage: unknown", "garbage: noise"]
)
async def test_a_message_that_makes_no_sense_is_passed_over(fault):
    async with talking(ScriptedEngine(), faults=f"{{{fault}, at: {{audio_chunks: 2}}}}") as (
        server,
        talk,
    ):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.said == "You said one."
    assert talk.connects == 1
    assert len(server.faults.log) == 1


async def test_a_key_that_is_refused_in_the_middle_of_a_call_ends_it_in_words():
    fault = "{drop: 1008, reason: API key not valid., at: {turn: 2}}"
    async with talking(ScriptedEngine(), faults=fault) as (_, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        talk.live_queue.text("two")
        await talk.until(lambda: talk.failure)
    assert "refused the key" in str(talk.failure)


@pytest.mark.parametrize("model", MODELS)
async def test_what_is_said_while_an_agent_hands_over_is_for_the_next_one_both_ways(model):
    engine = ScriptedEngine()

    def answers(turn):
        name = "other" if "Be other." in turn.instruction else "tester"
        if turn.text == "hand over" and name == "tester":
            return [ToolRequest("transfer_to_agent", {"agent_name": "other"})]
        if turn.text == "and back" and name == "other":
            return [ToolRequest("transfer_to_agent", {"agent_name": "tester"})]
        return [Say(f"{name} heard {turn.text}.")]

    engine.answers = answers
    async with talking(engine, model, sub_agents=["other"]) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        talk.live_queue.text("hand over")
        await talk.until(lambda: talk.count(AgentToolResult) == 1)
        talk.live_queue.text("two")
        await talk.until(lambda: "other heard two." in talk.said)
        tear_off(server)
        talk.live_queue.text("and back")
        await talk.until(lambda: talk.count(AgentToolResult) == 2)
        talk.live_queue.text("three")
        await talk.until(lambda: "tester heard three." in talk.said)
    assert talk.failure is None
    who_heard = [
        ("other" if "Be other." in turn.instruction else "tester")
        for turn in engine.turns
        if turn.text in ("two", "three")
    ]
    assert who_heard == ["other", "tester"]


async def test_a_service_that_refuses_a_tools_result_as_conversation_is_told_it_in_words():
    engine = ScriptedEngine()
    servers = []

    async def measure() -> dict[str, int]:
        """Measure it."""
        tear_off(servers[0])
        await asyncio.sleep(0.3)
        return {"metres": 42}

    engine.answers = lambda turn: (
        [Say("I see.")] if "42" in turn.text else [ToolRequest("measure", {})]
    )
    faults = "{drop: 1007, at: {connection: 2}, times: 2}"
    async with talking(engine, tools=[measure], faults=faults) as (server, talk):
        servers.append(server)
        talk.live_queue.text("how long is it")
        await talk.until(lambda: "I see." in talk.said)
    assert talk.failure is None
    assert talk.count(AgentToolCall) == 1


@pytest.mark.parametrize("model", MODELS)
async def test_a_question_that_a_new_session_hears_again_is_not_cut_off_by_its_own_history(model):
    engine = ScriptedEngine()
    engine.may_hear.clear()
    engine.hears += [Transcript("what is this", True)] * 2
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        before = engine.fed_bytes
        for chunk in [b"\x00\x10" * 320] * 25 + [bytes(640)] * 60:
            talk.live_queue.audio(chunk)
        await until(lambda: engine.fed_bytes == before + 85 * 640)
        forget_handles(server)
        tear_off(server)
        engine.may_hear.set()
        await talk.turns(2)
    assert talk.count(AgentInterrupted) == 0
    assert talk.said == "You said one. You said what is this."
    assert ("model", "You said one.") in engine.turns[-1].history


async def test_messages_that_have_come_together_leave_room_for_other_calls():
    turns_of_the_loop = 0
    read_at: list[int] = []

    class Link(SimpleNamespace):
        async def receive(self) -> AsyncGenerator[LlmResponse, None]:
            for word in ["these", "words", "came", "together"]:
                read_at.append(turns_of_the_loop)
                content = types.Content(role="model", parts=[types.Part(text=word)])
                yield LlmResponse(content=content, partial=True)
            await asyncio.Event().wait()

    @asynccontextmanager
    async def open_link(handle, fresh):
        yield Link(_gemini_session=SimpleNamespace())

    async def others() -> None:
        nonlocal turns_of_the_loop
        while True:
            turns_of_the_loop += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(others())
    async with ResilientConnection(
        open_link, ledger_for([], None), Nobody(), Nobody(), model=MODELS[0], timeouts=Timeouts()
    ):
        await until(lambda: len(read_at) == 4)
    counting.cancel()
    assert all(later > earlier for earlier, later in pairwise(read_at))
