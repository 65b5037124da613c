"""Makes the lines of a call's recording."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from vision_agent.calls.server_messages import (
    AgentMessage,
    InterruptedMessage,
    ServerMessage,
    UsageMessage,
)
from vision_agent.calls.turn_timing import TimedTurn
from vision_agent.live.events import AgentToolCall, AgentToolResult, LiveEvent
from vision_agent.recordings.call_recording import CallRecording
from vision_agent.recordings.lines import (
    CallLine,
    ErrorLine,
    InterruptedLine,
    NoticeLine,
    Source,
    SpokenLine,
    Switch,
    SwitchedLine,
    ToolCallLine,
    ToolResultLine,
    TurnLine,
    UsageLine,
)


class CallLines:
    """The lines of one call.

    Attributes:
        recording: Takes the lines; None while the call is not recorded.
    """

    def __init__(self) -> None:
        self.recording: CallRecording | None = None
        self._agent = ""

    def said(self, author: str, text: str, typed: bool, lasted_s: float) -> None:
        """One side has said or typed something: see `MemoryRecorder`."""
        if self.recording is not None:
            who: Literal["user", "agent"] = "user" if author == "user" else "agent"
            name = "" if author == "user" else author
            line = SpokenLine(
                at_ms=self._now,
                who=who,
                text=text,
                typed=typed,
                author=name,
                lasted_ms=min(self._now, round(1000 * lasted_s)),
            )
            self._put(line)

    def take(self, event: LiveEvent) -> None:
        """Write the tool calls and results of an event, whether or not the caller is shown them."""
        if self.recording is None:
            return
        match event:
            case AgentToolCall(id, name, arguments):
                line = ToolCallLine(at_ms=self._now, id=id, name=name, arguments=dict(arguments))
                self._put(line)
            case AgentToolResult(id, name, result):
                self._put(ToolResultLine(at_ms=self._now, id=id, name=name, result=dict(result)))

    def shown(self, message: ServerMessage) -> None:
        """Write the costs and interruptions that the caller is shown."""
        if isinstance(message, AgentMessage):
            self._agent = message.name
        if self.recording is None:
            return
        if isinstance(message, InterruptedMessage):
            self._put(InterruptedLine(at_ms=self._now))
        elif isinstance(message, UsageMessage):
            self._put(
                UsageLine(
                    at_ms=self._now,
                    tokens={kind: dict(counts) for kind, counts in message.tokens.items()},
                    estimate=message.estimate,
                    currency=message.currency,
                )
            )

    def error(self, text: str, fatal: bool) -> None:
        """Record that the caller was told about a problem."""
        if self.recording is not None:
            self._put(ErrorLine(at_ms=self._now, text=text, fatal=fatal))

    def turn(self, turn: TimedTurn) -> None:
        """An answer is over."""
        if self.recording is not None:
            reply_s = turn.first_sound_s
            reply_ms = None if reply_s is None else round(1000 * reply_s)
            self._put(TurnLine(at_ms=self._now, reply_ms=reply_ms, agent=self._agent))

    def switched(self, what: Switch, on: bool) -> None:
        """The caller has switched a device on or off."""
        if self.recording is not None:
            self._put(SwitchedLine(at_ms=self._now, what=what, on=on))

    def frame(self, source: Source, jpeg: bytes, size: tuple[int, int] | None = None) -> None:
        """The model is given a frame."""
        if self.recording is not None:
            width, height = size or Image.open(io.BytesIO(jpeg)).size
            self.recording.frame(source, jpeg, width, height)

    def notice(self, text: str) -> None:
        """Write a remark about the recording itself."""
        if self.recording is not None:
            self._put(NoticeLine(at_ms=self._now, text=text))

    @property
    def _now(self) -> int:
        assert self.recording is not None
        return self.recording.now_ms

    def _put(self, line: CallLine) -> None:
        assert self.recording is not None
        self.recording.line(line)
