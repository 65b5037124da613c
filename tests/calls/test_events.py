"""The events of calls that a program around the server gets."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from google.adk.agents import Agent
from google.adk.artifacts.in_memory_artifact_service import InMemoryArtifactService
from google.adk.memory.in_memory_memory_service import InMemoryMemoryService
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.scenarios import KEEPS
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import (
    CallEnded,
    CallError,
    CallStarted,
    Settings,
    ToolUsed,
    TranscriptAdded,
    UsageReported,
    VideoAgent,
)
from vision_agent.calls import event_queue
from vision_agent.calls.event_queue import EventQueue


async def keep(what: str, tool_context: ToolContext) -> dict[str, str]:
    """Keep something."""
    tool_context.state["user:kept"] = what
    await tool_context.save_artifact("kept.txt", types.Part(text=what))
    return {"what": what}


@asynccontextmanager
async def answering(tmp_path: Path, **options: Any) -> AsyncIterator[tuple[VideoAgent, str]]:
    """Runs a program's own application with its own agent; yields its address."""
    video = VideoAgent(
        Settings(_env_file=None, scenario=KEEPS, session_db="memory", data_dir=tmp_path),
        agents=Agent(name="keeper", instruction="You keep.", tools=[keep]),
        identify=lambda request: "ada",
        **options,
    )
    app = FastAPI(lifespan=video.lifespan)
    app.include_router(video.router, prefix="/agent")
    async with app.router.lifespan_context(app), serving_here(app) as url:
        yield video, f"{url}/agent"


async def keeps(url: str) -> Dialled:
    """A call in which the agent has kept something, and which goes on."""
    caller = Dialled(url)
    await caller.connect()
    caller.send("send-text", {"content": "Please keep it."})
    await caller.wait_for(lambda m: said(m) == "I kept your keys.")
    return caller


async def test_a_call_is_told_from_its_start_to_its_end_in_order(tmp_path):
    events: list[Any] = []
    kept = InMemoryArtifactService()
    async with answering(tmp_path, on_event=events.append, artifact_service=kept) as (_, url):
        caller = await keeps(url)
        await caller.hang_up()
        await until(lambda: events and isinstance(events[-1], CallEnded))
    assert isinstance(events[0], CallStarted)
    assert not events[0].resumed
    words = [(one.who, one.text, one.typed) for one in events if isinstance(one, TranscriptAdded)]
    assert words == [
        ("caller", "Please keep it.", True),
        ("agent", "I kept your keys.", False),
    ]
    tools = [one for one in events if isinstance(one, ToolUsed)]
    assert [(one.name, one.arguments, one.result) for one in tools] == [
        ("keep", {"what": "keys"}, None),
        ("keep", {"what": "keys"}, {"what": "keys"}),
    ]
    assert any(one.tokens for one in events if isinstance(one, UsageReported))
    assert not [one for one in events if isinstance(one, CallError)]
    assert events[-1].reason == "the caller hung up"
    assert events[-1].lasted_s > 0
    about = {(one.call_id, one.user_id, one.agent, one.session_id) for one in events}
    assert len(about) == 1
    [(call_id, user_id, agent, _)] = about
    assert (call_id, user_id, agent) == (caller.pc_id, "ada", "keeper")


class WithoutIncrements(InMemoryMemoryService):
    """A memory that takes whole sessions only, as ADK's base class does."""

    async def add_events_to_memory(self, **given: Any) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("memory", [InMemoryMemoryService, WithoutIncrements])
async def test_what_is_said_and_kept_is_in_the_applications_own_services(tmp_path, memory):
    sessions, memories, artifacts = (
        InMemorySessionService(),
        memory(),
        InMemoryArtifactService(),
    )
    async with answering(
        tmp_path,
        session_service=sessions,
        memory_service=memories,
        artifact_service=artifacts,
    ) as (video, url):
        caller = await keeps(url)
        token = caller.answer["resume"]
        await caller.hang_up()
        await until(lambda: not len(video.registry))
        [session_id] = sessions.sessions["keeper"]["ada"]
        user = {"app_name": "keeper", "user_id": "ada"}
        session = await sessions.get_session(**user, session_id=session_id)
        assert session.state["user:kept"] == "keys"
        assert "keep it" in str(session.events)
        found = await memories.search_memory(**user, query="keys")
        assert any("kept" in str(one.content) for one in found.memories)
        kept = await artifacts.load_artifact(**user, session_id=session_id, filename="kept.txt")
        assert kept.text == "keys"
        again = Dialled(url)
        await again.connect(resume=token)
        assert again.answer["resumed"]
        await again.hang_up()


async def told(queue: EventQueue, *events: Any) -> None:
    for event in events:
        queue.put(event)
    await queue.close()


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_listener_that_fails_is_told_the_rest_and_logged_once(caplog, is_coroutine):
    heard, words = [], "what a caller has said"

    def listen(event: Any) -> None:
        heard.append(event)
        raise RuntimeError(words)

    async def listens(event: Any) -> None:
        listen(event)

    queue = EventQueue(listens if is_coroutine else listen)
    with caplog.at_level(logging.ERROR):
        await told(queue, 1, 2, 3)
    assert heard == [1, 2, 3]
    assert queue.counts() == {"told": 0, "failed": 3, "dropped": 0, "waiting": 0}
    assert len(caplog.records) == 1
    assert "in listen" in caplog.text
    assert words not in caplog.text


@pytest.mark.parametrize("raised", [SystemExit(3), asyncio.CancelledError()])
@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_listener_that_would_end_the_process_or_the_task_has_failed(is_coroutine, raised):
    heard = []

    def listen(event: Any) -> None:
        heard.append(event)
        raise raised

    async def listens(event: Any) -> None:
        listen(event)

    queue = EventQueue(listens if is_coroutine else listen)
    await told(queue, 1, 2)
    assert heard == [1, 2]
    assert queue.counts() == {"told": 0, "failed": 2, "dropped": 0, "waiting": 0}


async def test_a_function_that_blocks_delays_events_and_loses_none_until_too_many_wait(
    caplog, monkeypatch
):
    monkeypatch.setattr(event_queue, "MAX_LISTENING_S", 0.05)
    monkeypatch.setattr(event_queue, "MAX_WAITING", 5)
    goes_on, heard = threading.Event(), []

    def blocks(event: Any) -> None:
        goes_on.wait(30)
        heard.append(event)

    queue = EventQueue(blocks)
    with caplog.at_level(logging.ERROR):
        queue.put(0)
        await until(lambda: caplog.records)  # the handler is slow; later events wait for it
        for event in range(1, 9):
            queue.put(event)
        assert queue.counts() == {"told": 0, "failed": 0, "dropped": 3, "waiting": 5}
        goes_on.set()
        await until(lambda: not queue.counts()["waiting"])
        await queue.close()
    assert heard == [0, 4, 5, 6, 7, 8]
    assert len(caplog.records) == 2, caplog.messages
    assert "the next ones wait" in caplog.messages[0]
    assert "the oldest are dropped" in caplog.messages[1]


async def test_what_a_listener_is_not_told_before_the_end_is_counted(caplog, monkeypatch):
    monkeypatch.setattr(event_queue, "CLOSE_WITHIN_S", 0.05)
    goes_on = threading.Event()
    queue = EventQueue(lambda event: goes_on.wait(30))
    try:
        await told(queue, 1, 2, 3)
    finally:
        goes_on.set()
    assert queue.counts()["dropped"] == 2
    assert "not told of the last 2 events" in caplog.text


async def test_a_coroutine_that_hangs_or_blocks_the_event_loop_is_named_once(caplog, monkeypatch):
    monkeypatch.setattr(event_queue, "MAX_LISTENING_S", 0.05)
    monkeypatch.setattr(event_queue, "MAX_BLOCKING_S", 0.01)

    async def hangs(event: Any) -> None:
        time.sleep(0.02)  # noqa: ASYNC251
        await asyncio.Event().wait()

    queue = EventQueue(hangs)
    with caplog.at_level(logging.ERROR):
        await told(queue, 1, 2, 3)
    assert queue.counts() == {"told": 0, "failed": 3, "dropped": 0, "waiting": 0}
    assert len(caplog.records) == 2, caplog.messages
    assert "blocked the event loop" in caplog.messages[0]
    assert "given up" in caplog.messages[1]
