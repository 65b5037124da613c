"""Tools beside the conversation, through the real ADK runner and client, over a real socket."""

import asyncio
import logging
import threading
import time
from contextvars import ContextVar

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

from tests.live.tools.talking import GOING_ON, WAITING, Talk, talking
from tests.local.scripted_engine import ScriptedEngine
from tests.support.waiting import until
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.events import (
    AgentInterrupted,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.tools.background import (
    BLOCKING_S,
    BackgroundTools,
    ToolLimits,
)
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.server import serve


@pytest.mark.parametrize("model", WAITING)
async def test_the_caller_cuts_in_while_a_tool_runs_and_its_result_stays_silent(model):
    ended = []

    async def search() -> str:
        """Never ends by itself."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "never"

    async with talking(model, search) as (talk, engine):
        engine.hears.append(Transcript("stop", True))
        talk.live_queue.text("look it up")
        call = await talk.until(lambda e: isinstance(e, AgentToolCall))
        assert isinstance(call, AgentToolCall)
        assert not ended
        talk.speak()
        await talk.until(lambda e: isinstance(e, AgentInterrupted))
        talk.fall_silent()
        await talk.said("Good.")
        assert ended == ["cancelled"]
        assert talk.cancellations == [call.call_id]
        assert not any(isinstance(e, AgentToolResult) for e in talk.events)
        assert not any(turn.tool_results for turn in engine.turns)


async def test_a_model_that_goes_on_tells_the_result_after_the_caller_cut_in():
    may_end = asyncio.Event()

    async def search() -> dict:
        """Ends when the test says so."""
        await may_end.wait()
        return {"found": "a bottle"}

    async with talking(GOING_ON, search) as (talk, engine):
        engine.hears.append(Transcript("never mind", True))
        talk.live_queue.text("look it up")
        await talk.until(lambda e: isinstance(e, AgentToolCall))
        talk.speak()
        await talk.until(lambda e: isinstance(e, AgentInterrupted))
        talk.fall_silent()
        await talk.said("Good.")
        may_end.set()
        await talk.said("a bottle")


place: ContextVar[str] = ContextVar("place")


async def test_blocking_python_stops_neither_the_loop_nor_the_conversation():
    began, may_end = threading.Event(), threading.Event()
    seen = []

    def search(tool_context) -> dict:
        """Blocks its thread."""
        began.set()
        assert may_end.wait(20)
        seen.append((threading.current_thread() is threading.main_thread(), place.get()))
        tool_context.state["found"] = "bottle"
        return {"found": "a bottle"}

    def set_place(tool, args, tool_context) -> None:
        place.set("Graz")

    async with talking(GOING_ON, search, before_tool_callback=set_place) as (talk, engine):
        engine.hears.append(Transcript("still there", True))
        talk.live_queue.text("look it up")
        await talk.until(lambda e: isinstance(e, AgentToolCall))
        await asyncio.to_thread(began.wait, 20)
        talk.speak()
        await talk.until(lambda e: isinstance(e, AgentInterrupted))
        talk.fall_silent()
        await talk.said("Good.")
        assert not seen
        may_end.set()
        await talk.said("a bottle")
    assert seen == [(False, "Graz")]


async def test_a_coroutine_that_blocks_the_loop_is_named_in_the_log(caplog):
    async def search() -> dict:
        """Blocks where it should await."""
        await asyncio.sleep(0)
        time.sleep(BLOCKING_S)  # noqa: ASYNC251
        return {"found": "a bottle"}

    with caplog.at_level(logging.WARNING, "vision_agent"):
        async with talking(GOING_ON, search) as (talk, _):
            talk.live_queue.text("look it up")
            await talk.said("a bottle")
    (record,) = [r for r in caplog.records if r.name == "vision_agent.live.tools.background"]
    assert "search held up every call" in record.getMessage()


async def test_the_agent_says_that_it_is_working_while_a_slow_tool_runs():
    may_end = asyncio.Event()

    async def search() -> dict:
        """Ends when the test says so."""
        await may_end.wait()
        return {"found": "a bottle"}

    limits = ToolLimits(slow=frozenset({"search"}))
    async with talking(WAITING[0], search, limits=limits) as (talk, engine):
        engine.answers = lambda turn: (
            [Say("A bottle.")]
            if turn.tool_results
            else [ToolRequest("search", {}), Say("I am looking.")]
        )
        talk.live_queue.text("look it up")
        await talk.said("I am looking.")
        assert not any(isinstance(e, AgentToolResult) for e in talk.events)
        may_end.set()
        await talk.said("A bottle.")


async def test_an_agent_used_as_a_tool_runs_beside_the_conversation():
    helper = LlmAgent(name="helper", model="none", description="Helps.")
    helper.before_agent_callback = lambda callback_context: types.Content(
        role="model", parts=[types.Part(text="helped")]
    )
    async with talking(GOING_ON, AgentTool(helper)) as (talk, engine):
        engine.answers = lambda turn: (
            [Say("It said it helped.")]
            if turn.tool_results
            else [ToolRequest("helper", {"request": "x"})]
        )
        talk.live_queue.text("look it up")
        assert await talk.result() == {"result": "helped"}
        await talk.said("It said it helped.")


async def test_a_transfer_still_hands_the_conversation_on():
    engine = ScriptedEngine()
    running = await serve("127.0.0.1", 0, engine)
    try:

        def llm():
            url = f"https://127.0.0.1:{running.port}"
            return gemini_at(url, running.certificate_pem, model=WAITING[0])

        billing = LlmAgent(name="billing", model=llm(), description="Bills.")
        root = LlmAgent(name="front", model=llm(), sub_agents=[billing])
        engine.answers = lambda turn: (
            [ToolRequest("transfer_to_agent", {"agent_name": "billing"})]
            if turn.text == "my bill please"
            else [Say("Hello.")]
        )
        talk = Talk(LiveQueue())
        session = LiveSession(
            Runner(app=App(name="t", root_agent=root), session_service=InMemorySessionService()),
            make_run_config(),
            talk.live_queue,
            ModelScope(
                user_id="u",
                observer=talk,
                gate=talk.live_queue,
                tools=BackgroundTools(ToolLimits(), ToolThreads()),
            ),
            session_id="s",
            model="m",
        )
        reading = asyncio.create_task(talk.read(session))
        talk.live_queue.text("my bill please")
        await until(lambda: talk.connects == 2)
        talk.live_queue.text("hello")
        await talk.until(lambda e: isinstance(e, AgentTranscript) and e.author == "billing")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    finally:
        await running.close()
