"""Conversations that outlive their connections: ADK, google-genai and a server that fails."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.genai import types

from tests.local.scripted_engine import ScriptedEngine
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.connection.ledger import Ledger
from vision_agent.live.connection.observer import Nobody
from vision_agent.live.connection.resilient import ResilientConnection
from vision_agent.live.connection.timeouts import Timeouts
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
from vision_agent.live.session import LiveSession
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.server import serve

MODELS = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.8-live"]
LETTER_BYTES = 60 * 48


class Talk:
    """A conversation that is read in the background, as a call does."""

    def __init__(self, server, model, timeouts, tools, sub_agents=()) -> None:
        def llm():
            llm = gemini_at(f"https://127.0.0.1:{server.port}", server.certificate_pem, model=model)
            llm.timeouts = timeouts
            return llm

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
        self.connects = 0
        self.losses: list[str] = []
        self.cancellations: list[str] = []
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

    def connected(self) -> None:
        self.connects += 1

    def lost(self, why: str) -> None:
        self.losses.append(why)

    def cancelled(self, call_ids: list[str]) -> None:
        self.cancellations += call_ids

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
        """The captions of the agent's side as they came."""
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
    talk = Talk(server, model, timeouts, list(tools), sub_agents)
    task = asyncio.create_task(talk.run())
    try:
        yield server, talk
    finally:
        talk.live_queue.close()
        await asyncio.wait([task], timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.close()


def breaking_once(server_of, sentences):
    """An answer during whose making the connection breaks, the first time it is made."""
    broken = []

    def answer(turn):
        yield Say(sentences[0])
        if not broken:
            broken.append(True)

            async def tear():
                server = server_of()
                await asyncio.sleep(0.1)  # what was said is on its way
                server.tear_off()
                await asyncio.Event().wait()

            yield tear
        for sentence in sentences[1:]:
            yield Say(sentence)

    return answer


@pytest.mark.parametrize("model", MODELS)
async def test_a_connection_lost_between_turns_is_not_noticed(model):
    engine = ScriptedEngine()
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        server.tear_off()
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
        async with asyncio.timeout(10):
            while not engine.turns:
                await asyncio.sleep(0.01)
        server.tear_off()
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
        async with asyncio.timeout(10):
            while engine.fed_bytes < 25 * 640:
                await asyncio.sleep(0.01)
        server.tear_off()
        for chunk in [loud] * 25 + [quiet] * 60:
            talk.live_queue.audio(chunk)
        await talk.turns(1)
    assert engine.fed_bytes >= 25 * 640 + (25 + 25 + 60) * 640
    heard = [e.text for e in talk.events if isinstance(e, UserTranscript) and e.final]
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
        server.tear_off()
        may_answer.set()
        await talk.turns(1)
    assert talk.said == "A cup."
    texts = [e.text for e in talk.events if isinstance(e, UserTranscript) and not e.final]
    assert texts == ["what is this"]


@pytest.mark.parametrize("model", MODELS)
async def test_a_handle_that_is_void_costs_the_session_but_not_the_conversation(model):
    engine = ScriptedEngine()
    async with talking(engine, model) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        server.forget_handles()
        server.tear_off()
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
        servers[0].tear_off()
        await asyncio.sleep(0.3)
        return {"metres": 42}

    engine.answers = lambda turn: (
        [Say(f"It is {turn.tool_results[-1]['response']['metres']}.")]
        if turn.tool_results
        else [ToolRequest("measure", {})]
    )
    async with talking(engine, model, tools=[measure]) as (server, talk):
        servers.append(server)
        talk.live_queue.text("how long is it")
        await talk.until(lambda: "42" in talk.said)
    assert len(runs) == 1
    assert talk.said == "It is 42."
    assert talk.count(AgentToolCall) == 1


async def test_a_model_that_stalls_is_asked_again_on_a_new_connection():
    engine = ScriptedEngine()
    stuck = asyncio.Event()
    engine.answers = lambda turn: [stuck.wait] if len(engine.turns) == 1 else [Say("Here I am.")]
    timeouts = Timeouts(setup_s=5, stall_s=0.5, budget_s=20)
    async with talking(engine, timeouts=timeouts) as (_, talk):
        talk.live_queue.text("are you there")
        await talk.turns(1)
    assert talk.losses == ["The model does not answer."]
    assert talk.said == "Here I am."


async def test_a_model_that_says_nothing_to_it_twice_is_let_be_and_the_call_goes_on():
    engine = ScriptedEngine()
    stuck = asyncio.Event()
    engine.answers = lambda turn: (
        [stuck.wait] if turn.text == "one" else [Say(f"You said {turn.text}.")]
    )
    timeouts = Timeouts(setup_s=5, stall_s=0.3, budget_s=20)
    async with talking(engine, timeouts=timeouts) as (_, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        assert talk.connects == 2
        talk.live_queue.text("two")
        await talk.turns(2)
    assert talk.said == "You said two."


async def test_a_service_that_stays_away_ends_the_call_in_words():
    engine = ScriptedEngine()
    timeouts = Timeouts(setup_s=1, budget_s=0.5)
    async with talking(engine, timeouts=timeouts) as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        await server.close()
        await talk.until(lambda: talk.failure)
    assert "can't be reached" in str(talk.failure)
    assert "did not come back" in str(talk.failure)


async def some(condition) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


LONG = "This is an answer that is some seconds long, and none of it may be missing."


async def test_go_away_waits_for_the_end_of_the_answer_and_nobody_notices():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(LONG if turn.text == "one" else "Still here.")]
    async with talking(engine, faults="{go_away_s: 60, at: {audio_chunks: 2}}") as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        await some(lambda: talk.connects == 2)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert talk.said == f"{LONG} Still here."
    assert talk.heard_bytes == LETTER_BYTES * len(f"{LONG}Still here.")
    assert talk.losses == []
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert ("model", LONG) in engine.turns[1].history
    assert server.faults is not None


async def test_go_away_that_leaves_no_time_for_all_of_the_answer_still_cuts_nothing():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(LONG)]
    timeouts = Timeouts(setup_s=5, budget_s=20, go_away_margin_s=0.2)
    faults = "{go_away_s: 0.6, at: {audio_chunks: 2}}"
    async with talking(engine, timeouts=timeouts, faults=faults) as (_, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.said == LONG
    assert talk.heard_bytes == LETTER_BYTES * len(LONG)
    assert talk.count(AgentInterrupted) == 0
    assert talk.connects == 2


@pytest.mark.parametrize("model", MODELS)
async def test_go_away_while_a_tool_runs_waits_for_what_comes_of_it(model):
    engine = ScriptedEngine()
    engine.answers = lambda turn: (
        [Say(f"It is {turn.tool_results[-1]['response']['metres']}.")]
        if turn.tool_results
        else [ToolRequest("measure", {})]
    )
    may_end = asyncio.Event()

    async def measure() -> dict[str, int]:
        """Measure it."""
        await may_end.wait()
        return {"metres": 42}

    async with talking(engine, model, tools=[measure], faults="{go_away_s: 60, at: {turn: 1}}") as (
        server,
        talk,
    ):
        talk.live_queue.text("how long is it")
        await talk.until(lambda: talk.count(AgentToolCall))
        await some(lambda: server.faults.log)
        assert talk.connects == 1
        may_end.set()
        await talk.until(lambda: "42" in talk.said)
        await some(lambda: talk.connects == 2)
    assert talk.said == "It is 42."
    assert talk.losses == []


async def test_the_late_result_of_a_cancelled_tool_is_not_spoken_of():
    engine = ScriptedEngine()
    may_end = asyncio.Event()

    async def wait() -> dict[str, str]:
        """Wait."""
        await may_end.wait()
        return {"status": "late"}

    engine.answers = lambda turn: [
        ToolRequest("wait") if turn.text == "wait" and not turn.tool_results else Say("Fine.")
    ]
    async with talking(engine, tools=[wait]) as (_, talk):
        talk.live_queue.text("wait")
        await talk.until(lambda: talk.count(AgentToolCall))
        talk.live_queue.text("never mind")
        await some(lambda: talk.cancellations)
        may_end.set()
        await talk.until(lambda: "Fine." in talk.said)
        talk.live_queue.text("and now")
        await talk.until(lambda: talk.said.count("Fine.") == 2)
    assert [turn.text for turn in engine.turns] == ["wait", "never mind", "and now"]
    assert not any(turn.tool_results for turn in engine.turns)


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
        server.tear_off()
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
        server.tear_off()
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
        servers[0].tear_off()
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
        await some(lambda: engine.fed_bytes == before + 85 * 640)
        server.forget_handles()
        server.tear_off()
        engine.may_hear.set()
        await talk.turns(2)
    assert talk.count(AgentInterrupted) == 0
    assert talk.said == "You said one. You said what is this."
    assert ("model", "You said one.") in engine.turns[-1].history


@pytest.mark.parametrize("where", ["received", "passed_on"])
async def test_a_fault_of_our_own_is_not_taken_for_garbage_of_the_services(
    monkeypatch, caplog, where
):
    """It is logged as what it is, and the conversation goes on over a new connection."""
    engine = ScriptedEngine()
    failed = []
    words = "my bank code is 4711"
    original = getattr(Ledger, where)

    def faulty(ledger, message, *played):
        content = message.server_content if where == "received" else message
        if content and not failed:
            failed.append(True)
            raise ValueError(f"{words}")
        return original(ledger, message, *played)

    monkeypatch.setattr(Ledger, where, faulty)
    async with talking(engine) as (_, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.failure is None
    assert talk.said == "You said one."
    assert talk.connects == 2
    [line] = [r.getMessage() for r in caplog.records if "is given up" in r.getMessage()]
    assert "in faulty" in line
    assert "4711" not in line
    assert "can't be read" not in caplog.text


async def test_words_that_are_sent_as_a_connection_is_dropped_at_once_wait_for_the_next():
    """Who waited for it runs only when it is gone again."""

    class Link:
        def __init__(self) -> None:
            self.sent: list[str] = []

        async def send_content(self, content) -> None:
            self.sent.append(content.parts[0].text)

    resilient = ResilientConnection(
        None, Ledger(), Nobody(), Nobody(), model="m", timeouts=Timeouts()
    )
    sending = asyncio.create_task(
        resilient.send_content(types.Content(role="user", parts=[types.Part(text="hello")]))
    )
    await asyncio.sleep(0)
    dropped, kept = Link(), Link()
    resilient._link.opened(dropped)
    resilient._link.lost()  # before the task has run
    for _ in range(3):
        await asyncio.sleep(0)
    assert not sending.done()
    assert resilient._ledger.idle  # so the next connection is not told it twice
    resilient._link.opened(kept)
    await sending
    assert (dropped.sent, kept.sent) == ([], ["hello"])
