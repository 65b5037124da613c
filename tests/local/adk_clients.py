"""ADK as a client of the local Live API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from google.adk.agents import Agent, LiveRequestQueue
from google.adk.agents.run_config import RunConfig
from google.adk.events import Event
from google.adk.models import Gemini
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.genai import types

from tests.local.live_clients import http_options
from tests.local.live_talk import LOUD, QUIET, audio
from vision_agent.local.server import LocalServer


def gemini(server: LocalServer, model: str) -> Gemini:
    return Gemini(
        model=model,
        base_url=f"https://127.0.0.1:{server.port}",
        client_kwargs={"api_key": "any", "http_options": http_options(server)},
    )


@asynccontextmanager
async def calling(agent: Agent, said_before: Sequence[tuple[str, str]] = ()) -> AsyncIterator[Call]:
    sessions = InMemorySessionService()
    session = await sessions.create_session(app_name="test", user_id="u", session_id="s")
    for author, text in said_before:
        role = "user" if author == "user" else "model"
        content = types.Content(role=role, parts=[types.Part(text=text)])
        await sessions.append_event(session, Event(author=author, content=content))
    runner = Runner(agent=agent, app_name="test", session_service=sessions)
    call = Call()
    events = runner.run_live(
        user_id="u",
        session_id="s",
        live_request_queue=call.queue,
        run_config=RunConfig(
            response_modalities=["AUDIO"],
            session_resumption=types.SessionResumptionConfig(),
        ),
    )
    listening = asyncio.create_task(call.hear(events))
    try:
        yield call
    finally:
        call.queue.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await events.aclose()


class Call:
    """One live run: its queue, and every event so far."""

    def __init__(self) -> None:
        self.queue = LiveRequestQueue()
        self.events: list[Event] = []
        self._news = asyncio.Condition()

    async def hear(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, condition: Callable[[Event], Any], times: int = 1) -> Event:
        def found() -> list[Event]:
            return [event for event in self.events if condition(event)]

        async with asyncio.timeout(15), self._news:
            await self._news.wait_for(lambda: len(found()) >= times)
        return found()[times - 1]

    def say(self) -> None:
        for pcm, times in ((LOUD, 10), (QUIET, 65)):
            for _ in range(times):
                self.queue.send_realtime(audio(pcm))

    def type(self, text: str) -> None:
        self.queue.send_content(types.Content(role="user", parts=[types.Part(text=text)]))

    def final(self, transcription: str) -> list[str]:
        return [
            found.text.strip()
            for event in self.events
            if (found := getattr(event, transcription)) and found.finished
        ]
