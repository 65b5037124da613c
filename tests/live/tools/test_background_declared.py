"""Which of an agent's tools are replaced, and how they are declared to the model."""

import asyncio
from types import SimpleNamespace

from google.adk.events.event_actions import EventActions
from google.adk.models.llm_request import LlmRequest
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.long_running_tool import LongRunningFunctionTool
from google.genai import types

from tests.live.tools.talking import WAITING, talking
from vision_agent.live.events import (
    AgentInterrupted,
    AgentToolCall,
)
from vision_agent.live.tools.background import (
    BackgroundTools,
    ToolLimits,
)
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.local.contract import Transcript


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
    BackgroundTools(ToolLimits(slow=frozenset({"book"})), ToolThreads()).wrap_tools(request)
    assert behaviors(request) == {
        "search": None,
        "book": types.Behavior.NON_BLOCKING,
        "count": types.Behavior.NON_BLOCKING,
    }


def test_the_agents_own_tools_are_left_as_they_are_and_taken_over_once():
    own, streaming = FunctionTool(search), FunctionTool(count)
    request = declared(own, streaming)
    tools = BackgroundTools(ToolLimits(), ToolThreads())
    tools.wrap_tools(request)
    taken, checked = request.tools_dict["search"], request.tools_dict["count"]
    tools.wrap_tools(request)
    assert request.tools_dict["search"] is taken
    assert taken.behavior is types.Behavior.NON_BLOCKING
    assert isinstance(taken, FunctionTool)
    assert own.behavior is None
    assert request.tools_dict["count"] is checked
    assert streaming.func is count
    assert checked.behavior is None


async def test_calls_without_an_id_are_all_run():
    """ADK gives a call an id where the model gave none, but nothing depends on that."""
    wishes = []

    async def book(slot: str) -> str:
        """Book."""
        wishes.append(slot)
        return f"booked {slot}"

    tools = BackgroundTools(ToolLimits(), ToolThreads())
    context = SimpleNamespace(
        function_call_id=None, actions=EventActions(), state={}, tool_confirmation=None
    )
    results = [await tools.run(FunctionTool(book), {"slot": slot}, context) for slot in ("3", "4")]
    assert (wishes, results) == (["3", "4"], ["booked 3", "booked 4"])


async def test_adk_still_waits_for_its_tools_so_this_is_still_needed():
    """Fails when ADK reads on while a tool runs: then `live/tools/background.py` can go."""
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
    """Fails when the pool no longer does so: then `run_sync_tools_in` can go."""
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
