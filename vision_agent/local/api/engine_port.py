"""The engine's interface for the protocol side; `engine.LocalEngine` implements it.

Written as protocols so that the server can be tested with a scripted engine, and so that reading
the server does not load the recognisers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from vision_agent.local.contract import (
    AnswerPart,
    HearingOptions,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Turn,
)


class Hearing(Protocol):
    """The hearing of one conversation; its clock is samples fed / 16."""

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        """Takes s16le mono 16 kHz; returns the starts and stops of speech in it. Cheap.

        ``over_agent`` says that the caller hears the agent meanwhile, so its echo may be in it.
        """

    async def transcript(self) -> Transcript:
        """The transcript of the oldest utterance that has stopped; called once for each."""

    def begin_activity(self) -> None:
        """The client says that the caller speaks from here on (automatic detection off)."""

    def end_activity(self) -> None:
        """The client says that the caller has ended."""

    async def close(self) -> None:
        """Releases the hearing's resources."""


class EnginePort(Protocol):
    """Hears, answers and speaks for any number of conversations."""

    def hearing(
        self,
        options: HearingOptions,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> Hearing:
        """The hearing of one conversation.

        Args:
            options: When speech starts and ends.
            tools: The agent's function declarations, in which other agents are named.
            instruction: The agent's system instruction, in which its own name is.
        """

    def speak(
        self,
        text: str,
        voice_name: str | None,
        language_code: str | None,
    ) -> AsyncIterator[bytes]:
        """The sound of a sentence, s16le mono 24 kHz, in pieces, faster than real time."""

    def answer(self, turn: Turn) -> AsyncIterator[AnswerPart]:
        """The answer, sentence by sentence, and the tools to call."""


class ClosingEngine(EnginePort, Protocol):
    """An engine that its owner has to close."""

    async def close(self) -> None:
        """Ends everything that it has started."""
