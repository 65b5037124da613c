"""What the server says on the data channel, collected: RTVI 2.1 in, facts out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vision_agent.caller import rtvi

OnTranscript = Callable[[str, str, int], None]

_SIGNALLING = "signalling"
_LARGEST_NUMBER = 1_000_000_000


@dataclass(slots=True)
class TranscriptLine:
    """One line of the transcript.

    Attributes:
        who: "user" or "agent".
        text: What was said.
        at_ms: When it began to arrive.
        agent: Which agent said it, by its name, if the server told; a call may have several.
    """

    who: str
    text: str
    at_ms: int
    agent: str = ""


@dataclass(slots=True)
class Point:
    """Something the agent pointed at: the label, and `[ymin, xmin, ymax, xmax]` of 1000."""

    label: str
    box_2d: list[int]
    at_ms: int


@dataclass(slots=True)
class ToolCallRecord:
    """A tool the agent used; `ended_ms` stays None when nothing said how it ended."""

    name: str
    arguments: Any
    at_ms: int
    ended_ms: int | None = None
    result: Any = None
    cancelled: bool = False


class CallTranscript:
    """Takes each message of the channel with its time and keeps what a report needs.

    Messages of unknown kinds and malformed ones are ignored: a newer server may send more.

    Attributes:
        ready: The server's agent is ready (bot-ready).
        connecting: The server said that its model isn't connected yet; not every server says so.
        turn_complete_ms: When the newest turn was complete; None if a tool's result came since.
        ended: Why the server ended the call, None while it goes on.
        points: What the agent has pointed at, in order.
    """

    def __init__(self, on_transcript: OnTranscript | None = None) -> None:
        self.ready = False
        self.connecting = False
        self.lines: list[TranscriptLine] = []
        self.tool_calls: dict[str, ToolCallRecord] = {}
        self.points: list[Point] = []
        self.errors: list[str] = []
        self.interruptions = 0
        self.jpeg_bytes: list[int] = []
        self.frame_ages_ms: list[int] = []
        self.turn_complete_ms: int | None = None
        self.ended: str | None = None
        self._on_transcript = on_transcript or (lambda who, text, at_ms: None)
        self._agent = ""
        self._answering = False
        self._saying: list[str] = []
        self._saying_since_ms = 0
        self._user_since_ms: int | None = None

    def feed(self, message: str | bytes, at_ms: int) -> None:
        """Take one message as it came off the channel, `at_ms` on the call's timeline."""
        if (parsed := rtvi.parse(message)) is None:
            return
        data = parsed.get("data")
        data = data if isinstance(data, dict) else {}
        if parsed.get("type") == _SIGNALLING:
            inner = parsed.get("message")
            if isinstance(inner, dict) and inner.get("type") == "peerLeft":
                self.ended = self.ended or "the server left"
        elif parsed.get("label") == rtvi.LABEL:
            self._take(str(parsed.get("type")), data, at_ms)

    def close(self) -> None:
        """Keep what was being said when the call ended without its transcript being closed."""
        if self._saying:
            self._agent_said("".join(self._saying))

    @property
    def is_busy(self) -> bool:
        """Whether a tool was started that has not ended, or the rest of an answer is being made."""
        return self._answering or any(call.ended_ms is None for call in self.tool_calls.values())

    def _take(self, kind: str, data: dict[str, Any], at_ms: int) -> None:
        if kind == "bot-ready":
            self.ready = True
        elif kind == "user-transcription":
            self._user_said(data, at_ms)
        elif kind == "bot-tts-text":
            if not self._saying:
                self._saying_since_ms = at_ms
            self._saying.append(str(data.get("text", "")))
        elif kind == "bot-transcription":
            if not self._saying:
                self._saying_since_ms = at_ms
            self._agent_said(str(data.get("text", "")))
        elif kind in ("bot-llm-started", "bot-llm-stopped"):
            self._answering = kind == "bot-llm-started"
        elif kind.startswith("llm-function-call-"):
            self._tool(kind, data, at_ms)
        elif kind in ("error", "error-response"):
            text = str(data.get("message") or data.get("error") or "an error without words")
            self.errors.append(text)
            if data.get("fatal"):
                self.ended = self.ended or text
        elif kind == "server-message":
            self._own(data, at_ms)

    def _user_said(self, data: dict[str, Any], at_ms: int) -> None:
        if self._user_since_ms is None:
            self._user_since_ms = at_ms
        if data.get("final"):
            text = str(data.get("text", "")).strip()
            if text:
                self._add(TranscriptLine("user", text, self._user_since_ms))
            self._user_since_ms = None

    def _agent_said(self, text: str) -> None:
        self._saying.clear()
        if text.strip():
            self._add(TranscriptLine("agent", text.strip(), self._saying_since_ms, self._agent))

    def _add(self, line: TranscriptLine) -> None:
        self.lines.append(line)
        # An answer's whole text comes at its end, so it may follow a line that began later.
        self.lines.sort(key=lambda each: each.at_ms)
        self._on_transcript(line.who, line.text, line.at_ms)

    def _tool(self, kind: str, data: dict[str, Any], at_ms: int) -> None:
        call_id = data.get("tool_call_id")
        if not isinstance(call_id, str):
            return  # "started" may come without an id; "in-progress" follows with one
        call = self.tool_calls.setdefault(call_id, ToolCallRecord("", None, at_ms))
        call.name = str(data.get("function_name") or call.name)
        if "arguments" in data:
            call.arguments = data["arguments"]
        if kind == "llm-function-call-stopped":
            call.ended_ms = at_ms
            call.result = data.get("result")
            call.cancelled = bool(data.get("cancelled"))
            if not call.cancelled:
                # A turn that ended while the tool ran is not the answer to what the tool told.
                self.turn_complete_ms = None

    def _own(self, data: dict[str, Any], at_ms: int) -> None:
        """Take one of the product's own messages (`server-message`, told apart by `kind`)."""
        kind = data.get("kind")
        if kind == "frame" and _is_number(data.get("bytes")):
            self.jpeg_bytes.append(round(data["bytes"]))
        elif kind == "frame_at_speech_end" and _is_number(data.get("age_ms")):
            self.frame_ages_ms.append(round(data["age_ms"]))
        elif kind == "interrupted":
            self.interruptions += 1
        elif kind == "agent":
            self._agent = str(data.get("name") or "")
        elif kind == "point" and _is_box(data.get("box_2d")):
            box = [round(side) for side in data["box_2d"]]
            self.points.append(Point(str(data.get("label", "")), box, at_ms))
        elif kind == "turn_complete":
            self.turn_complete_ms = at_ms
        elif kind == "state":
            self.connecting = data.get("state") == "connecting"
            if data.get("state") == "ended":
                self.ended = self.ended or str(data.get("reason") or "the server ended the call")


def _is_number(value: Any) -> bool:
    """Whether it is a number that figures can be made of: JSON has infinite ones, too (1e999)."""
    return isinstance(value, int | float) and abs(value) < _LARGEST_NUMBER


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))
