"""Tools beside the conversation, through the real ADK runner and client, over a real socket."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.models.llm_request import LlmRequest
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.long_running_tool import LongRunningFunctionTool
from google.genai import types

from tests.local.scripted_engine import ScriptedEngine
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.events import (
    AgentInterrupted,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    LiveEvent,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.tools.background import (
    HELD_UP_S,
    BackgroundTools,
    ToolLimits,
    explain_errors,
)
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.server import serve

WAITING = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.1-flash-live-preview"]
"""Models that wait for their tools, and cancel them when the caller cuts in."""

GOING_ON = "gemini-3.8-live"
"""One that goes on while a tool runs."""


class Talk:
    """A session that is read by a task, and what has happened in it so far."""

    def __init__(self, live_queue: LiveQueue) -> None:
        self.live_queue = live_queue
        self.events: list[LiveEvent] = []
        self.cancelled_calls: list[str] = []
        self.connected_twice = asyncio.Event()
        self._connects = 0
        self._arrived = asyncio.Condition()

    async def read(self, session: LiveSession) -> None:
        async with aclosing(session.events()) as events:
            async for event in events:
                async with self._arrived:
                    self.events.append(event)
                    self._arrived.notify_all()

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

    # ConnectionObserver

    def connected(self) -> None:
        self._connects += 1
        if self._connects == 2:
            self.connected_twice.set()

    def lost(self, why: str) -> None: ...

    def cancelled(self, call_ids: list[str]) -> None:
        self.cancelled_calls += call_ids


@asynccontextmanager
async def talking(
    model: str, *tools: object, limits: ToolLimits | None = None, beside: bool = True, **agent_args
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
    explain_errors(agent)
    talk = Talk(LiveQueue())
    session = LiveSession(
        Runner(app=App(name="t", root_agent=agent), session_service=InMemorySessionService()),
        make_run_config(),
        talk.live_queue,
        ModelScope(
            user_id="u",
            observer=talk,
            gate=talk.live_queue,
            tools=BackgroundTools(limits or ToolLimits(), ToolThreads()) if beside else None,
        ),
        session_id="s",
        model=model,
    )
    reading = asyncio.create_task(talk.read(session))
    try:
        yield talk, engine
        assert not reading.done() or reading.exception() is None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await running.close()


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
        assert talk.cancelled_calls == [call.call_id]
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
        time.sleep(HELD_UP_S)  # noqa: ASYNC251
        return {"found": "a bottle"}

    with caplog.at_level(logging.WARNING, "vision_agent"):
        async with talking(GOING_ON, search) as (talk, _):
            talk.live_queue.text("look it up")
            await talk.said("a bottle")
    (record,) = [r for r in caplog.records if r.name == "vision_agent.live.tools.background"]
    assert "search held up every call" in record.getMessage()


FAILED = {"error": "The tool search failed. Nothing more is known here."}


@pytest.mark.parametrize("model", [*WAITING, GOING_ON])
async def test_a_tool_that_raises_becomes_a_result_without_the_exceptions_words(model, caplog):
    def search() -> str:
        """Fails."""
        raise ConnectionError("database exploded: password=hunter2")

    with caplog.at_level(logging.WARNING, "vision_agent"):
        async with talking(model, search) as (talk, _):
            talk.live_queue.text("look it up")
            assert await talk.result() == FAILED
            await talk.said("failed")
    assert not any("hunter2" in repr(event) for event in talk.events)
    (record,) = [r for r in caplog.records if r.name.startswith("vision_agent")]
    assert record.exc_info
    assert isinstance(record.exc_info[1], ConnectionError)


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_tool_that_takes_too_long_is_given_up_and_the_model_told(asynchronous):
    may_end = threading.Event()

    async def search_async() -> str:
        """Never ends."""
        await asyncio.Event().wait()
        return ""

    def search_blocking() -> str:
        """Ends after the test."""
        may_end.wait(20)
        return "too late"

    tool = search_async if asynchronous else search_blocking
    limits = ToolLimits(30, {tool.__name__: 0.2})
    async with talking(WAITING[0], tool, limits=limits) as (talk, _):
        talk.live_queue.text("look it up")
        assert "within 0.2 seconds" in (await talk.result())["error"]
        await talk.said("given up")
        may_end.set()
        talk.live_queue.text("hello")
        await talk.said("Good.")
    assert sum(isinstance(e, AgentToolResult) for e in talk.events) == 1


async def test_the_agents_own_callbacks_run_as_ever():
    def search() -> dict:
        """Works."""
        return {"found": "a bottle"}

    calls = []

    def before(tool, args, tool_context) -> None:
        calls.append(("before", tool.name))

    def after(tool, args, tool_context, tool_response) -> dict:
        calls.append(("after", tool_response))
        return {"found": "two bottles"}

    callbacks = {"before_tool_callback": before, "after_tool_callback": after}
    async with talking(WAITING[0], search, **callbacks) as (talk, _):
        talk.live_queue.text("look it up")
        await talk.said("two bottles")
    assert calls == [("before", "search"), ("after", {"found": "a bottle"})]


async def test_the_agents_own_error_callback_has_the_first_word():
    async def search() -> str:
        """Fails."""
        raise ValueError("no")

    def own(tool, args, tool_context, error) -> dict:
        return {"sorry": f"not today: {error}"}

    async with talking(WAITING[0], search, on_tool_error_callback=own) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == {"sorry": "not today: no"}


@pytest.mark.parametrize("which", ["before_tool_callback", "after_tool_callback"])
async def test_a_callback_that_raises_leaves_the_model_no_less_a_result(which):
    def search() -> dict:
        """Works."""
        return {"found": "a bottle"}

    def broken(*_: object) -> None:
        raise KeyError("spelling")

    async with talking(WAITING[1], search, **{which: broken}) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == FAILED
        await talk.said("search failed")


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
        async with asyncio.timeout(20):
            await talk.connected_twice.wait()
        talk.live_queue.text("hello")
        await talk.until(lambda e: isinstance(e, AgentTranscript) and e.author == "billing")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    finally:
        await running.close()


def declared(*tools: FunctionTool) -> LlmRequest:
    request = LlmRequest()
    request.append_tools(list(tools))
    return request


def behaviors(request: LlmRequest) -> dict[str, types.Behavior | None]:
    return {
        declaration.name: declaration.behavior
        for tool in request.config.tools
        for declaration in tool.function_declarations
    }


def search() -> str:
    """Search."""
    return ""


def book() -> str:
    """Book."""
    return ""


async def count():
    """Count."""
    yield 1


def test_only_slow_and_long_running_tools_are_declared_as_not_waited_for():
    request = declared(FunctionTool(search), FunctionTool(book), LongRunningFunctionTool(count))
    BackgroundTools(ToolLimits(slow=frozenset({"book"})), ToolThreads()).take_over(request)
    assert behaviors(request) == {
        "search": None,
        "book": types.Behavior.NON_BLOCKING,
        "count": types.Behavior.NON_BLOCKING,
    }


def test_the_agents_own_tools_are_left_as_they_are_and_taken_over_once():
    own = FunctionTool(search)
    request = declared(own, FunctionTool(count))
    streaming = request.tools_dict["count"]
    tools = BackgroundTools(ToolLimits(), ToolThreads())
    tools.take_over(request)
    taken = request.tools_dict["search"]
    tools.take_over(request)
    assert request.tools_dict["search"] is taken
    assert taken.behavior is types.Behavior.NON_BLOCKING
    assert isinstance(taken, FunctionTool)
    assert own.behavior is None
    assert request.tools_dict["count"] is streaming


async def test_adk_still_waits_for_its_tools_so_this_is_still_needed():
    """Fails when ADK reads on while a tool runs: then `background_tools` can go."""
    may_end = asyncio.Event()

    async def search() -> str:
        """Ends when the test says so."""
        await may_end.wait()
        return "found"

    async with talking(WAITING[1], search, beside=False) as (talk, engine):
        engine.hears.append(Transcript("stop", True))
        talk.live_queue.text("look it up")
        await talk.until(lambda e: isinstance(e, AgentToolCall))
        talk.speak()
        for _ in range(50):
            await asyncio.sleep(0.01)
        assert not any(isinstance(e, AgentInterrupted) for e in talk.events)
        may_end.set()
        await talk.until(lambda e: isinstance(e, AgentInterrupted))


async def test_adks_own_thread_pool_still_moves_coroutines_to_other_loops():
    """Fails when it does not any more: then `run_sync_tools_in` can go."""
    loops = []

    async def search() -> str:
        """Notes its loop."""
        loops.append(asyncio.get_running_loop())
        return "found"

    from google.adk.agents.run_config import ToolThreadPoolConfig
    from google.adk.flows.llm_flows.functions import _call_tool_in_thread_pool

    assert ToolThreadPoolConfig().max_workers
    await _call_tool_in_thread_pool(FunctionTool(search), {}, None)
    assert loops[0] is not asyncio.get_running_loop()
