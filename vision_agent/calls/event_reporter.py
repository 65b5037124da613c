"""Makes the events of one call."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vision_agent.calls.call_lines import CallLines
from vision_agent.calls.ending import Ending
from vision_agent.calls.event_queue import EventQueue
from vision_agent.calls.events import (
    CallEnded,
    CallError,
    CallEvent,
    CallStarted,
    RecordingEnded,
    RecordingStarted,
    ToolUsed,
    TranscriptAdded,
    UsageReported,
)
from vision_agent.calls.server_messages import ServerMessage, UsageMessage
from vision_agent.live.events import AgentToolCall, AgentToolResult, LiveEvent
from vision_agent.live.sessions.store import SessionLease


class EventReporter:
    """Reports on one call.

    Args:
        queue: Takes the events.
        call_id: The call's id.
        lease: The call's session.
        agent: The name of the ADK app.

    Attributes:
        lines: The same for the call's recording.
    """

    def __init__(self, queue: EventQueue, call_id: str, lease: SessionLease, agent: str) -> None:
        self._queue = queue
        self.lines = CallLines()
        self._resumed = lease.resumed
        self._about = {
            "call_id": call_id,
            "user_id": lease.user_id,
            "session_id": lease.session_id,
            "agent": agent,
        }
        self._began_s = time.monotonic()
        self._tools: dict[str, AgentToolCall] = {}

    def started(self) -> None:
        """The caller is connected."""
        self._put(CallStarted, resumed=self._resumed)

    def said(self, author: str, text: str, typed: bool, lasted_s: float) -> None:
        """One side has said or typed something.

        Args:
            author: `user`, or the name of the agent.
            text: The words.
            typed: Whether they were typed.
            lasted_s: How long ago the first of them came.
        """
        self.lines.said(author, text, typed, lasted_s)
        if author == "user":
            self._put(TranscriptAdded, who="caller", text=text, typed=typed)
        else:
            self._put(TranscriptAdded, who="agent", text=text, author=author)

    def take(self, event: LiveEvent) -> None:
        """Report the tool calls and results of an event."""
        self.lines.take(event)
        match event:
            case AgentToolCall(id, name, arguments):
                self._tools[id] = event
                self._put(ToolUsed, id=id, name=name, arguments=dict(arguments), result=None)
            case AgentToolResult(id, name, result):
                call = self._tools.pop(id, None)
                arguments = dict(call.arguments) if call else {}
                self._put(ToolUsed, id=id, name=name, arguments=arguments, result=dict(result))

    def shown(self, message: ServerMessage) -> None:
        """Report the costs that the caller is shown."""
        self.lines.shown(message)
        if isinstance(message, UsageMessage):
            self._put(
                UsageReported,
                tokens=message.tokens,
                estimate=message.estimate,
                currency=message.currency,
            )

    def error(self, text: str, fatal: bool) -> None:
        """Report that the caller was told about a problem."""
        self.lines.error(text, fatal)
        self._put(CallError, text=text, fatal=fatal)

    def recording_started(self, folder: Path) -> None:
        """The call is being recorded in a folder."""
        self._put(RecordingStarted, folder=folder)

    def recording_ended(self, folder: Path | None, reason: str) -> None:
        """The recording has ended; `folder` is None if it could not begin."""
        self._put(RecordingEnded, folder=folder, reason=reason)

    def ended(self, ending: Ending) -> None:
        """Nothing of the call is left."""
        self._put(
            CallEnded,
            reason=ending.reason,
            come_back=ending.come_back,
            lasted_s=time.monotonic() - self._began_s,
        )

    def _put(self, event: Callable[..., CallEvent], **what: Any) -> None:
        if self._queue.listens:
            self._queue.put(event(**self._about, **what))
