"""What a live session says happened, in our own words: ADK's events with one meaning each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """A burst of the agent's speech: s16le mono 24 kHz PCM, of any length."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UserTranscript:
    """What the model heard the caller say. Partial texts are deltas, the final one is whole."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class AgentTranscript:
    """What the agent says. Partial texts are deltas, the final one is whole."""

    text: str
    final: bool
    author: str


@dataclass(frozen=True, slots=True)
class AgentToolCall:
    """The model asked for a tool; ADK runs it."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentToolResult:
    """A tool answered, and the model gets this."""

    call_id: str
    name: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentInterrupted:
    """The caller spoke over the answer: whatever of it has not been played is void.

    Attributes:
        played: The words of it that had been played, marked where words are missing; None if
            nobody has asked yet.
    """

    played: str | None = None


@dataclass(frozen=True, slots=True)
class AgentTurnComplete:
    """The agent has finished its turn."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens the service counted since the last report."""

    prompt_tokens: int
    response_tokens: int


LiveEvent = (
    AgentAudio
    | UserTranscript
    | AgentTranscript
    | AgentToolCall
    | AgentToolResult
    | AgentInterrupted
    | AgentTurnComplete
    | TokenUsage
)
