"""The events of calls for a program around the server, as typed values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """Something that happened in a call.

    Attributes:
        call_id: The call's id, which is its `pc_id` in the signalling.
        user_id: ADK's user: what `identify` returned, or a random id of an unknown caller.
        session_id: ADK's session.
        agent: The name of the ADK app that is called.
        at: When, in seconds since 1970.
    """

    call_id: str
    user_id: str
    session_id: str
    agent: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(CallEvent):
    """The caller is connected.

    Attributes:
        resumed: Whether the call continues an earlier conversation.
    """

    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptAdded(CallEvent):
    """One side has said or typed something.

    Attributes:
        who: Which side.
        text: The words; of an answer that was cut off, those that were played.
        author: The name of the agent that spoke; empty for the caller.
        typed: Whether the caller has typed them.
    """

    who: Literal["caller", "agent"]
    text: str
    author: str = ""
    typed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed(CallEvent):
    """A tool was called, or has returned.

    Attributes:
        id: The same for both.
        name: The tool's name.
        arguments: What the model gave it.
        result: What the model gets; None when the tool was called.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported(CallEvent):
    """What the call has cost so far; after each turn whose tokens were reported.

    Attributes:
        tokens: By kind (`prompt`, `tool`, `response`, `thoughts`) and modality.
        estimate: The estimated cost; None if no price is known.
        currency: ISO 4217.
    """

    tokens: Mapping[str, Mapping[str, int]]
    estimate: float | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallError(CallEvent):
    """The caller is told about a problem.

    Attributes:
        text: A sentence.
        fatal: Whether it ends the call.
    """

    text: str
    fatal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(CallEvent):
    """The call is being recorded.

    Attributes:
        folder: Where; its files grow until `RecordingEnded`.
    """

    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEnded(CallEvent):
    """The recording is complete, or has ended before the call.

    Attributes:
        folder: Where it is; None if it could not begin.
        reason: Why it ended, without a full stop; for a complete one, why the call ended.
    """

    folder: Path | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallEvent):
    """The call is over; also of one that never connected.

    Attributes:
        reason: Why, without a full stop.
        come_back: Whether the caller's client was asked to call again by itself.
        lasted_s: How long it lasted, from its offer.
    """

    reason: str
    come_back: bool
    lasted_s: float
