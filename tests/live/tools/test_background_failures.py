"""Every exception of a tool or a callback becomes a result that the model can explain."""

import asyncio
import logging
import threading

import pytest

from tests.live.tools.talking import GOING_ON, WAITING, talking
from vision_agent.live.events import (
    AgentToolResult,
)
from vision_agent.live.tools.background import (
    ToolLimits,
)

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
