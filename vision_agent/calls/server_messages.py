"""The messages of this server's own on the data channel: RTVI `server-message`, by `kind`.

docs/protocol.md describes them for clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

State = Literal["connecting", "listening", "thinking", "speaking", "reconnecting", "ended"]


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """One message; its attributes are its fields on the wire."""

    kind: ClassVar[str]

    def data(self) -> dict[str, object]:
        """The message's `data`."""
        return {"kind": self.kind} | {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class StateMessage(ServerMessage):
    """Where the call is.

    Attributes:
        state: The new state.
        reason: Why, without a full stop: for `reconnecting` and `ended`.
        come_back: Whether the client should call again by itself. `ended` only.
    """

    kind = "state"
    state: State
    reason: str | None = None
    come_back: bool = False

    def data(self) -> dict[str, object]:
        """The message's `data`."""
        data = ServerMessage.data(self)
        if self.state != "ended":
            del data["come_back"]
        return data


@dataclass(frozen=True, slots=True)
class InterruptedMessage(ServerMessage):
    """The caller cut in; `heard` is what was played of the answer."""

    kind = "interrupted"
    heard: str


@dataclass(frozen=True, slots=True)
class TurnCompleteMessage(ServerMessage):
    """The model's turn is over; its sound may still be playing.

    Attributes:
        goes_on: Another turn follows by itself: the answer to a tool's result, or to what cut in.
    """

    kind = "turn_complete"
    goes_on: bool


@dataclass(frozen=True, slots=True)
class UsageMessage(ServerMessage):
    """What the call has cost so far; after each turn whose tokens were reported.

    Attributes:
        models: The models that answered.
        tokens: By kind (`prompt`, `tool`, `response`, `thoughts`) and modality.
        estimate: The estimated cost; None if no price is known.
        currency: ISO 4217.
        prices_of: The day of the list prices; empty if the local engine answers.
        note: A sentence about what is special, such as a model without a known price.
    """

    kind = "usage"
    models: Sequence[str]
    tokens: Mapping[str, Mapping[str, int]]
    estimate: float | None
    currency: str
    prices_of: str
    note: str


@dataclass(frozen=True, slots=True)
class AgentMessage(ServerMessage):
    """The words that follow are those of the agent `name`."""

    kind = "agent"
    name: str


@dataclass(frozen=True, slots=True)
class FrameMessage(ServerMessage):
    """A frame went to the model.

    Attributes:
        bytes: Size of the JPEG.
        width: Pixels.
        height: Pixels.
        age_ms: How long ago it was captured.
        source: `camera` or `screen`.
    """

    kind = "frame"
    bytes: int
    width: int
    height: int
    age_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class FrameAtSpeechEndMessage(ServerMessage):
    """How much older than the end of the caller's speech the model's newest frame is."""

    kind = "frame_at_speech_end"
    age_ms: int


@dataclass(frozen=True, slots=True)
class ResumedMessage(ServerMessage):
    """The call continues a conversation.

    Attributes:
        earlier: The lines said before: `who` (`user` or `agent`), `text`, the `agent`'s name.
    """

    kind = "resumed"
    earlier: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class NoticeMessage(ServerMessage):
    """The call ends soon.

    Attributes:
        about: Which limit: `max_call`, `idle`, `allowance` or `drain`.
        left_s: Seconds until then.
        text: Why and what can be done, for the caller.
    """

    kind = "notice"
    about: str
    left_s: int
    text: str


@dataclass(frozen=True, slots=True)
class NoticeOverMessage(ServerMessage):
    """The call does not end soon after all."""

    kind = "notice_over"
    about: str


@dataclass(frozen=True, slots=True)
class PointMessage(ServerMessage):
    """A box to draw on the caller's own video.

    Attributes:
        id: Identifies the box.
        label: What is there.
        box_2d: `[top, left, bottom, right]`, 0 to 1000.
        age_ms: How long ago the frame was captured that the box is about.
        seconds: How long the box stays.
        source: Where to draw it: on the `camera` or on the shared `screen`.
    """

    kind = "point"
    id: str
    label: str
    box_2d: Sequence[int]
    age_ms: int
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class ClearPointsMessage(ServerMessage):
    """All boxes are to be removed."""

    kind = "clear_points"


@dataclass(frozen=True, slots=True)
class FullFrameMessage(ServerMessage):
    """The client is to send its camera's full resolution for `seconds`."""

    kind = "full_frame"
    seconds: float


@dataclass(frozen=True, slots=True)
class UnaskedMessage(ServerMessage):
    """The agent is about to speak unasked, about `text`."""

    kind = "unasked"
    text: str


@dataclass(frozen=True, slots=True)
class RecordingMessage(ServerMessage):
    """Whether the call is recorded.

    Attributes:
        on: Whether it is from now on.
        reason: Why it is not, without a full stop; None if it is.
    """

    kind = "recording"
    on: bool
    reason: str | None = None

    def data(self) -> dict[str, object]:
        """The message's `data`."""
        data = ServerMessage.data(self)
        if self.on:
            del data["reason"]
        return data
