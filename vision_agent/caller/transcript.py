"""Collects what the server says on the data channel: RTVI 2.1 in, facts out. Pure."""

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
        text: The words.
        at_ms: When the words began to arrive, in ms of the call.
        agent: The name of the agent that spoke, if the server named it; a call may have several.
    """

    who: str
    text: str
    at_ms: int
    agent: str = ""


@dataclass(slots=True)
class Point:
    """Something the agent pointed at.

    Attributes:
        label: What is there.
        box_2d: `[ymin, xmin, ymax, xmax]`, each from 0 to 1000.
        at_ms: When, in ms of the call.
    """

    label: str
    box_2d: list[int]
    at_ms: int


@dataclass(slots=True)
class ToolCallRecord:
    """One use of a tool.

    Attributes:
        name: The tool's name; empty if the server does not report names.
        arguments: What the model gave it; None unless the server reports them.
        at_ms: When it was called, in ms of the call.
        ended_ms: When it returned; None if the server never reported the end.
        result: What it returned; None unless the server reports results.
        cancelled: Whether the model cancelled the call.
    """

    name: str
    arguments: Any
    at_ms: int
    ended_ms: int | None = None
    result: Any = None
    cancelled: bool = False


class CallTranscript:
    """Both sides' words, and everything else the server reports about a call.

    Unknown and malformed messages are ignored: a newer server may send more.

    Args:
        on_transcript: Called with who ("user" or "agent"), text and ms of the call for each
            complete line.
        on_note: Called with a remark for the caller: that the server records the call, or why it
            does not.

    Attributes:
        ready: The server's agent is ready (`bot-ready`).
        detects_turns: Whether the model detects the caller's turns, as the server says with
            `bot-ready`; None: it has not said.
        connecting: The server said that its model is not connected yet; not every server says so.
        lines: The complete lines, in the order in which they began.
        tool_calls: The tools the agent has used, by their call ids.
        points: What the agent has pointed at, in order.
        errors: What the server reported as errors, in its words.
        refused: Of the errors those about a message of the caller's, by its id.
        interrupted_ms: When answers were interrupted.
        jpeg_bytes: The size of each frame that reached the model.
        sources_seen: What they were frames of: "camera", "screen".
        camera_seen_ms: When the newest frame of the camera that reached the model was captured: the
            message's arrival less the age that it names.
        frame_ages_ms: The age of the model's newest frame at each end of the caller's speech.
        turn_complete_ms: When the newest turn that none follows by itself was completed; None if a
            tool has returned since.
        responses: How many messages that call for a response it has taken or refused.
        ended: Why the server ended the call; None while it goes on.
        recorded: Whether the server records the call now.
        usage: The tokens so far and an estimate of what they cost, as the server said last
            (docs/options.md); None if it has not.
    """

    def __init__(
        self,
        on_transcript: OnTranscript | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self.ready = False
        self.detects_turns: bool | None = None
        self.connecting = False
        self.lines: list[TranscriptLine] = []
        self.tool_calls: dict[str, ToolCallRecord] = {}
        self.points: list[Point] = []
        self.errors: list[str] = []
        self.refused: dict[str, str] = {}
        self.interrupted_ms: list[int] = []
        self.jpeg_bytes: list[int] = []
        self.sources_seen: set[str] = set()
        self.camera_seen_ms: int | None = None
        self.frame_ages_ms: list[int] = []
        self.turn_complete_ms: int | None = None
        self.responses = 0
        self.ended: str | None = None
        self.recorded = False
        self.usage: dict[str, Any] | None = None
        self._on_note = on_note or (lambda text: None)
        self._on_transcript = on_transcript or (lambda who, text, at_ms: None)
        self._agent = ""
        self._answering = False
        self._saying: list[str] = []
        self._saying_since_ms = 0
        self._user_since_ms: int | None = None

    def feed(self, message: str | bytes, at_ms: int) -> None:
        """Take one message of the channel, which arrived at `at_ms` of the call."""
        if (parsed := rtvi.parse(message)) is None:
            return
        data = parsed.get("data")
        data = data if isinstance(data, dict) else {}
        if parsed.get("type") == _SIGNALLING:
            inner = parsed.get("message")
            if isinstance(inner, dict) and inner.get("type") == "peerLeft":
                self.ended = self.ended or "the server left"
        elif parsed.get("label") == rtvi.LABEL:
            known = len(self.errors)
            self._take(str(parsed.get("type")), data, at_ms)
            if len(self.errors) > known:
                self.refused[str(parsed.get("id"))] = self.errors[-1]

    def close(self) -> None:
        """Keep an unfinished line; the call ended before its transcript was complete."""
        if self._saying:
            self._agent_said("".join(self._saying))

    @property
    def is_busy(self) -> bool:
        """Whether a tool is running or the model is still generating."""
        return self._answering or any(call.ended_ms is None for call in self.tool_calls.values())

    def _take(self, kind: str, data: dict[str, Any], at_ms: int) -> None:
        self.responses += kind in ("server-response", "error-response")
        if kind == "bot-ready":
            self.ready = True
            about = data.get("about")
            detects = about.get("voice_activity_detection") if isinstance(about, dict) else None
            self.detects_turns = detects if isinstance(detects, bool) else None
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
        # A line arrives whole when it ends, so it may arrive after a line that began later.
        self.lines.sort(key=lambda each: each.at_ms)
        self._on_transcript(line.who, line.text, line.at_ms)

    def _tool(self, kind: str, data: dict[str, Any], at_ms: int) -> None:
        call_id = data.get("tool_call_id")
        if not isinstance(call_id, str):
            return  # "started" may have no id; "in-progress" follows with one
        call = self.tool_calls.setdefault(call_id, ToolCallRecord("", None, at_ms))
        call.name = str(data.get("function_name") or call.name)
        if "arguments" in data:
            call.arguments = data["arguments"]
        if kind == "llm-function-call-stopped":
            call.ended_ms = at_ms
            call.result = data.get("result")
            call.cancelled = bool(data.get("cancelled"))
            if not call.cancelled:
                # A turn that ended while the tool ran is not the answer to the tool's result.
                self.turn_complete_ms = None

    def _own(self, data: dict[str, Any], at_ms: int) -> None:
        """Take a message of this product's own (`server-message`), distinguished by its `kind`."""
        kind = data.get("kind")
        if kind == "frame" and _is_number(data.get("bytes")):
            self.jpeg_bytes.append(round(data["bytes"]))
            source = "screen" if data.get("source") == "screen" else "camera"
            self.sources_seen.add(source)
            if source == "camera":
                age_ms = data["age_ms"] if _is_number(data.get("age_ms")) else 0
                self.camera_seen_ms = at_ms - round(age_ms)
        elif kind == "frame_at_speech_end" and _is_number(data.get("age_ms")):
            self.frame_ages_ms.append(round(data["age_ms"]))
        elif kind == "interrupted":
            self.interrupted_ms.append(at_ms)
        elif kind == "agent":
            self._agent = str(data.get("name") or "")
        elif kind == "point" and _is_box(data.get("box_2d")):
            box = [round(side) for side in data["box_2d"]]
            self.points.append(Point(str(data.get("label", "")), box, at_ms))
        elif kind == "turn_complete" and data.get("goes_on") is not True:
            self.turn_complete_ms = at_ms
        elif kind == "recording":
            self._recording(
                on=data.get("on") is True, reason=str(data.get("reason") or "no reason")
            )
        elif kind == "usage":
            self.usage = {name: value for name, value in data.items() if name != "kind"}
        elif kind == "state":
            self.connecting = data.get("state") == "connecting"
            if data.get("state") == "ended":
                self.ended = self.ended or str(data.get("reason") or "the server ended the call")

    def _recording(self, *, on: bool, reason: str) -> None:
        before, self.recorded = self.recorded, on
        if on and not before:
            self._on_note("The server records this call.")
        elif before and not on:
            self._on_note(f"The server no longer records this call: {reason}.")
        elif not on:
            self._on_note(f"This call is not recorded: {reason}.")


def _is_number(value: Any) -> bool:
    """Whether it is a number of sensible size: JSON also yields infinity (1e999)."""
    return isinstance(value, int | float) and abs(value) < _LARGEST_NUMBER


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))
