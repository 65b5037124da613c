"""Connections that this side closes, and bugs of the product itself."""

import asyncio

import pytest
from google.genai import types

from tests.live.connection.talking import (
    LETTER_BYTES,
    LONG,
    MODELS,
    talking,
)
from tests.local.scripted_engine import ScriptedEngine
from tests.support.waiting import until
from vision_agent.live.connection.ledger import Ledger
from vision_agent.live.connection.observer import Nobody
from vision_agent.live.connection.resilient import ResilientConnection
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.events import (
    AgentInterrupted,
    AgentToolCall,
)
from vision_agent.local.contract import Say, ToolRequest


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


async def test_go_away_waits_for_the_end_of_the_answer_and_nobody_notices():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(LONG if turn.text == "one" else "Still here.")]
    async with talking(engine, faults="{go_away_s: 60, at: {audio_chunks: 2}}") as (server, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        await until(lambda: talk.connects == 2)
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
        await until(lambda: server.faults.log)
        assert talk.connects == 1
        may_end.set()
        await talk.until(lambda: "42" in talk.said)
        await until(lambda: talk.connects == 2)
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
        await until(lambda: talk.cancellations)
        may_end.set()
        await talk.until(lambda: "Fine." in talk.said)
        talk.live_queue.text("and now")
        await talk.until(lambda: talk.said.count("Fine.") == 2)
    assert [turn.text for turn in engine.turns] == ["wait", "never mind", "and now"]
    assert not any(turn.tool_results for turn in engine.turns)


@pytest.mark.parametrize("where", ["received", "passed_on"])
async def test_a_fault_of_our_own_is_not_taken_for_garbage_of_the_services(
    monkeypatch, caplog, where
):
    """The log names the function that failed; the conversation continues on a new connection."""
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
    """The waiting task runs only after the connection is lost again."""

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
    assert resilient._ledger.idle  # so it is not replayed to the next connection as well
    resilient._link.opened(kept)
    await sending
    assert (dropped.sent, kept.sent) == ([], ["hello"])
