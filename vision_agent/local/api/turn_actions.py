"""The vocabulary of `turns`: function calls, their results, and the actions to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from vision_agent.local.contract import FunctionCall, Transcript


class Scheduling(Enum):
    """The treatment of a background call's result (``FunctionResponse.scheduling``)."""

    WHEN_IDLE = auto()
    INTERRUPT = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a client's function.

    Attributes:
        id: The call's; where it is empty, ``name`` says which call is meant.
        name: The function's.
        response: What it said.
        scheduling: What to do with it, if the call is in the background.
        will_continue: Whether more results of this call follow, if it is in the background.
        images: The images beside the response.
    """

    id: str
    name: str
    response: Mapping[str, Any]
    scheduling: Scheduling = Scheduling.WHEN_IDLE
    will_continue: bool = False
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The caller has stopped: transcribe as long as `Turns.transcripts_due`."""


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """Generate answer number ``number``; with tool results it continues the same turn.

    Attributes:
        number: The answer's.
        prompt: What is answered.
        tool_results: What the tools called for it gave back.
        calls_again: Calls that were cut off, which this answer only makes once more.
        is_filler: Whether it is only what is said before the answer to the same prompt.
        recorded: Whether the prompt is history already.
    """

    number: int
    prompt: Transcript
    tool_results: tuple[ToolResult, ...] = ()
    calls_again: tuple[FunctionCall, ...] = ()
    is_filler: bool = False
    recorded: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """Stop generating the answer, and drop the pieces that have not been sent."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Tell the client that the caller cut in.

    Attributes:
        unplayed_ms: How much of the sound that was sent the caller has not heard.
    """

    unplayed_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """Tell the client that all of the answer has been generated."""


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """Tell the client that the turn is over.

    Attributes:
        said_nothing: Whether the model had nothing to say: it waits for more.
        more_follows: Whether something else is to be said that needs no more of the caller: a
            question or a result waits, or a tool is still at work.
    """

    said_nothing: bool = False
    more_follows: bool = False


@dataclass(frozen=True, slots=True)
class SendFunctionCalls:
    """Ask the client to run these functions."""

    calls: tuple[FunctionCall, ...]


@dataclass(frozen=True, slots=True)
class CancelTools:
    """Tell the client that the results of these calls are no longer wanted."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The words of this turn become history.

    Attributes:
        prompt: What was answered; None where that is history already, because the turn only
            went on about what a call in the background had given back.
    """

    prompt: Transcript | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Keep this result in the history without answering it."""

    result: ToolResult


Action = (
    Transcribe
    | BeginAnswer
    | StopAnswer
    | Interrupted
    | GenerationComplete
    | TurnComplete
    | SendFunctionCalls
    | CancelTools
    | Settled
    | Noted
)
