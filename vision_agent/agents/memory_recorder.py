"""Records the words of a call in the memory."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable
from typing import Any

from google.adk.events.event import Event
from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.sessions.session import Session
from google.genai import types

from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentReplaced,
    AgentTranscript,
    AgentTurnComplete,
    LiveEvent,
    UserTranscript,
)
from vision_agent.live.said_order import Kind, SaidAt, place

logger = logging.getLogger(__name__)


class MemoryRecorder:
    """Collects the final words of both sides as content, which any memory service can index.

    Args:
        memory: The memory service.
        app_name: The name of the ADK app.
        user: ADK's user; empty for an unknown caller, whose words are not remembered.
        conversation: The call's id.
        on_line: Called with the author of each line (`user`, or the agent's name), its text,
            whether it was typed, and how many seconds ago it began; also for an unknown caller.

    Attributes:
        failures: How often the memory has failed.
    """

    def __init__(
        self,
        memory: BaseMemoryService,
        *,
        app_name: str,
        user: str,
        conversation: str,
        on_line: Callable[[str, str, bool, float], None] = lambda *_said: None,
    ) -> None:
        self._memory = memory
        self._on_line = on_line
        self._app_name = app_name
        self._user = user
        self._conversation = conversation
        self._said: list[Event] = []
        self._order: list[SaidAt] = []
        self._spoken_at_s: float | None = None
        self._answered_at_s: float | None = None
        self._whole: list[Event] = []
        self._keeping: asyncio.Task[None] | None = None
        self._finished = self._unfinished = ""
        self._agent = "agent"
        self._turn_over = asyncio.Event()
        self.failures = 0

    def typed(self, text: str) -> None:
        """The caller has typed this text."""
        self._add("user", text, "typed", time.time())

    def take(self, event: LiveEvent) -> None:
        """Record the words of an event."""
        match event:
            case UserTranscript(text, final=final):
                began_s = self._spoken_at_s or time.time()
                self._spoken_at_s = None if final else began_s
                if final:
                    self._add("user", text, "spoken", began_s)
            case AgentAudio() | AgentTranscript() if self._answered_at_s is None:
                self._answered_at_s = time.time()
        match event:
            case AgentTranscript(text, final=False, author=author):
                self._unfinished += text
                self._agent = author
            case AgentTranscript(text, final=True, author=author):
                # Recorded when the turn ends: not all of it may be played.
                self._finished, self._unfinished = f"{self._finished} {text.strip()}", ""
                self._agent = author
            case AgentInterrupted(played):
                self._end_turn(self._words if played is None else played, "cut off")
            case AgentReplaced(text, author, played):
                self._end_turn(self._words if played is None else played, "cut off")
                self._finished, self._agent = text, author
            case AgentTurnComplete():
                self._end_turn(self._words, "answer")

    @property
    def _words(self) -> str:
        """The words of the current answer; a model may make it in several parts."""
        return f"{self._finished} {self._unfinished}".strip()

    def _end_turn(self, said: str, kind: Kind) -> None:
        self._add(self._agent, said, kind, self._answered_at_s or time.time())
        self._finished = self._unfinished = ""
        self._answered_at_s = None
        self._turn_over.set()

    async def run(self) -> None:
        """Write each turn when it is over; cancel it at the end of the call, and `flush`."""
        while True:
            await self._turn_over.wait()
            self._turn_over.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write the rest; if this is cancelled, the next call of `flush` waits for its end."""
        said, self._said, self._order = self._said, [], []
        self._keeping = asyncio.create_task(self._keep(said, self._keeping))
        await asyncio.shield(self._keeping)

    async def _keep(self, said: list[Event], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        if not said:
            return
        try:
            await self._add_to_memory(said)
        except Exception as error:  # of any memory service; none may end a call
            self.failures += 1
            if self.failures == 1:
                # The text of a service's own exception may contain what was said.
                own = isinstance(error, sqlite3.Error | OSError)
                cause = f"{error}" if own else type(error).__name__
                logger.error("What is said in a call can't be remembered: %s", cause)

    async def _add_to_memory(self, said: list[Event]) -> None:
        about: dict[str, Any] = {"app_name": self._app_name, "user_id": self._user}
        if not self._whole:
            try:
                await self._memory.add_events_to_memory(
                    **about, events=said, session_id=self._conversation
                )
                return
            except NotImplementedError:  # as in ADK's base class
                pass
        self._whole += said
        session = Session(id=self._conversation, **about, events=self._whole)
        await self._memory.add_session_to_memory(session)

    def _add(self, author: str, text: str, kind: Kind, began_s: float) -> None:
        if not text.strip():
            return
        lasted_s = max(0.0, time.time() - began_s)
        self._on_line(author, text.strip(), kind == "typed", lasted_s)
        if not self._user:
            return
        role = "user" if author == "user" else "model"
        content = types.Content(role=role, parts=[types.Part(text=text.strip())])
        event = Event(id=uuid.uuid4().hex, author=author, content=content, timestamp=began_s)
        at = place(self._order, line := SaidAt(kind, began_s))
        self._said.insert(at, event)
        self._order.insert(at, line)
