"""The events of a live session: ADK's events, split so that each has one meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_agent.live.token_counts import TokenCounts


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """A burst of the agent's speech: s16le mono 24 kHz PCM, of any length."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UserTranscript:
    """The caller's words. Partial texts are deltas; the final text is whole."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class AgentTranscript:
    """The agent's words. Partial texts are deltas; the final text is whole."""

    text: str
    final: bool
    author: str


@dataclass(frozen=True, slots=True)
class AgentToolCall:
    """The model has called a tool; ADK runs it."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentToolResult:
    """A tool has returned; the model gets the result."""

    call_id: str
    name: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentInterrupted:
    """The caller has interrupted the answer: the part that has not been played is void.

    Attributes:
        played: The words that had been played, marked where words are missing; None if nobody has
            asked yet.
    """

    played: str | None = None


@dataclass(frozen=True, slots=True)
class AgentReplaced:
    """The agent's own code has put other words in the place of an answer.

    Of the answer, the part that has not been played is void. `AgentTurnComplete` follows.

    Attributes:
        text: The words, which nothing speaks; may be empty.
        author: The agent's name.
        played: The words of the answer that had been played; None if nobody has asked yet.
    """

    text: str
    author: str
    played: str | None = None


@dataclass(frozen=True, slots=True)
class AgentTurnPaused:
    """The agent has finished a part of its turn, and works on the rest without being asked."""


@dataclass(frozen=True, slots=True)
class AgentTurnComplete:
    """The agent has finished its turn."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens that the service has counted in the present turn; a later report replaces it.

    Attributes:
        model: The model's name; empty if ADK does not say.
        counts: The tokens.
    """

    model: str
    counts: TokenCounts


LiveEvent = (
    AgentAudio
    | UserTranscript
    | AgentTranscript
    | AgentToolCall
    | AgentToolResult
    | AgentInterrupted
    | AgentReplaced
    | AgentTurnPaused
    | AgentTurnComplete
    | TokenUsage
)
