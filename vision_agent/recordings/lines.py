"""The lines of a recorded call's `call.jsonl`: one JSON object each, written and read here only.

Every line has `at_ms`, in milliseconds since the time zero of `call.mkv`, and its `kind`.
docs/recordings.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = 1
"""The version of the format; a reader refuses a later one."""

MAX_LINE_CHARS = 1_000_000
"""A longer line is not read; its content is cut when it is written."""

MAX_AT_MS = 10_000_000_000
"""Sixteen weeks; no call lasts as long."""

_BEGINNING = '{"at_ms": '

Source = Literal["camera", "screen", "picture"]
Switch = Literal["microphone", "camera", "screen"]


class CallLine(BaseModel):
    """Something that happened in a recorded call.

    Attributes:
        at_ms: When, in milliseconds since the recording began.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ClassVar[str] = ""
    at_ms: int = Field(ge=0)


class HeaderLine(CallLine):
    """The first line: which call it is.

    Attributes:
        format: The version of the format.
        call_id: The call's id.
        agent: The name of the ADK app that was called.
        model: The live model that answered.
        started: When the recording began (ISO 8601, UTC).
        version: The version of vision_agent.
        options: The call's own options, by their names in `CallOptions`.
        session_id: ADK's session.
        resumed: Whether the call continued an earlier conversation.
    """

    kind = "recording"
    format: int = FORMAT
    call_id: str
    agent: str = ""
    model: str = ""
    started: str = ""
    version: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    session_id: str = ""
    resumed: bool = False


class ReceivedLine(CallLine):
    """An RTVI message of the client, as it came."""

    kind = "received"
    message: dict[str, Any]


class SentLine(CallLine):
    """An RTVI message to the client."""

    kind = "sent"
    message: dict[str, Any]


class SpokenLine(CallLine):
    """One side has said or typed something.

    Attributes:
        who: The side.
        text: The words; of an interrupted answer, those that were played.
        typed: Whether the caller typed them.
        author: The name of the agent that spoke; empty for the caller.
        lasted_ms: How long before `at_ms` the first of the words came. Lines are written when they
            are complete, so an answer may come after the typed line that interrupted it.
    """

    kind = "transcript"
    who: Literal["user", "agent"]
    text: str
    typed: bool = False
    author: str = ""
    lasted_ms: int = Field(default=0, ge=0)


class FrameLine(CallLine):
    """A frame that the model was given.

    Attributes:
        source: The frame's source; a `picture` is a file that the caller sent.
        file: Its path in the folder; empty if it was not kept.
        bytes: Size of the JPEG.
        width: Pixels.
        height: Pixels.
    """

    kind = "frame"
    source: Source
    file: str
    bytes: int
    width: int
    height: int


class ToolCallLine(CallLine):
    """The model called a tool."""

    kind = "tool_call"
    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolResultLine(CallLine):
    """A tool has returned."""

    kind = "tool_result"
    id: str
    name: str
    result: dict[str, Any] = Field(default_factory=dict)


class InterruptedLine(CallLine):
    """The caller cut in on an answer."""

    kind = "interrupted"


class SwitchedLine(CallLine):
    """The caller switched a device on or off."""

    kind = "switched"
    what: Switch
    on: bool


class TurnLine(CallLine):
    """An answer is over.

    Attributes:
        reply_ms: From the end of the caller's speech, or from their text, to the first sound; None
            if the agent spoke unasked, or not at all.
        agent: The name of the agent that answered.
    """

    kind = "turn"
    reply_ms: int | None = None
    agent: str = ""


class UsageLine(CallLine):
    """The call's cost so far.

    Attributes:
        tokens: The tokens by kind and modality.
        estimate: The estimated cost; None if no price is known.
        currency: ISO 4217.
    """

    kind = "usage"
    tokens: dict[str, dict[str, int]] = Field(default_factory=dict)
    estimate: float | None = None
    currency: str = ""


class ErrorLine(CallLine):
    """The caller was told that something does not work.

    Attributes:
        text: A sentence.
        fatal: Whether it ended the call.
    """

    kind = "error"
    text: str
    fatal: bool = False


class NoticeLine(CallLine):
    """A remark about the recording itself, such as that the disk was full."""

    kind = "notice"
    text: str


class EndedLine(CallLine):
    """The call was over; `reason` is without a full stop."""

    kind = "ended"
    reason: str


class OtherLine(CallLine):
    """A line of an unknown kind, or without the fields of its kind.

    Attributes:
        of: The kind.
        fields: All fields.
    """

    of: str
    fields: dict[str, Any]


Line = (
    HeaderLine
    | ReceivedLine
    | SentLine
    | SpokenLine
    | FrameLine
    | ToolCallLine
    | ToolResultLine
    | InterruptedLine
    | SwitchedLine
    | TurnLine
    | UsageLine
    | ErrorLine
    | NoticeLine
    | EndedLine
    | OtherLine
)

_KINDS: Mapping[str, type[CallLine]] = {
    each.kind: each for each in get_args(Line) if each is not OtherLine
}


def written(line: CallLine) -> str:
    """A line as text, without the line break.

    A line that would be too long keeps its kind and time, and a mark that it was cut.
    """
    fields = {"at_ms": line.at_ms, "kind": line.kind} | line.model_dump(exclude={"at_ms"})
    text = _json(fields)
    if len(text) <= MAX_LINE_CHARS:
        return text
    short = {name: _shortened(value) for name, value in fields.items()}
    return _json(short | {"cut": True})


def written_message(kind: Literal["received", "sent"], at_ms: int, message: str) -> str:
    """A `received` or `sent` line of a message in JSON, which is not parsed again.

    Args:
        kind: `received` or `sent`.
        at_ms: The line's time.
        message: A JSON object, as it went over the data channel.
    """
    if len(message) > MAX_LINE_CHARS - 100:
        return written(NoticeLine(at_ms=at_ms, text=f"A {kind} message was too long to be kept."))
    if "\n" in message or "\r" in message:  # white space between its parts; in texts it is escaped
        message = _json(json.loads(message))
    return f'{_BEGINNING}{at_ms}, "kind": "{kind}", "message": {message}}}'


def moved(text: str, by_ms: int) -> str:
    """A line of `written` or `written_message` with a later time.

    Args:
        text: The line.
        by_ms: The shift.
    """
    at_ms, comma, rest = text.removeprefix(_BEGINNING).partition(",")
    return f"{_BEGINNING}{int(at_ms) + by_ms}{comma}{rest}"


def read(text: str) -> Line | None:
    """A line; None if it is not one, for example because it was cut off.

    A line of an unknown kind, or without the fields of its kind, becomes an `OtherLine`.
    """
    if len(text) > MAX_LINE_CHARS:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    at_ms, kind = found.get("at_ms"), found.get("kind")
    if not isinstance(at_ms, int) or isinstance(at_ms, bool) or not isinstance(kind, str):
        return None
    if at_ms > MAX_AT_MS:
        return None
    at_ms = max(0, at_ms)
    try:
        return _KINDS[kind].model_validate(found | {"at_ms": at_ms})  # type: ignore[return-value]
    except (KeyError, ValidationError):
        return OtherLine(at_ms=at_ms, of=kind, fields=found)


def _json(value: object) -> str:
    # Every result of a tool can be written.
    return json.dumps(value, ensure_ascii=False, default=_in_words)


def _in_words(value: object) -> str:
    return f"({type(value).__name__}) {value!r}"[:2_000]


def _shortened(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, str):
        return value[:2_000]
    return {"cut": _json(value)[:20_000]}
