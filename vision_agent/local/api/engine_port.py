"""What the protocol side needs of the engine; `engine.Engine` offers it.

Written as protocols so that the server can be tested with a scripted engine, and so that reading
the server does not load the recognisers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from vision_agent.local.contract import (
    CallTool,
    Heard,
    Manner,
    Say,
    SpeechStarted,
    SpeechStopped,
    Turn,
)


class Ears(Protocol):
    """The hearing of one conversation; its clock is samples fed / 16."""

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        """Takes s16le mono 16 kHz; says what started or stopped in it. Cheap.

        ``over_agent`` says that the caller hears the agent meanwhile, so its echo may be in it.
        """

    async def heard(self) -> Heard:
        """What was said in the utterance that just stopped; called once for each."""

    def begin_activity(self) -> None:
        """The client says that the caller speaks from here on (automatic detection off)."""

    def end_activity(self) -> None:
        """The client says that the caller has ended."""

    async def close(self) -> None:
        """Gives back what the hearing holds."""


class Engine(Protocol):
    """Hears, answers and speaks for any number of conversations."""

    def ears(
        self,
        *,
        silence_ms: int,
        start_sensitivity: str,
        end_sensitivity: str,
        prefix_padding_ms: int | None,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> Ears:
        """The hearing for one conversation; what its agent is told and can do, it listens for."""

    def speak(
        self,
        text: str,
        voice_name: str | None,
        language_code: str | None,
        manner: Manner | None = None,
    ) -> AsyncIterator[bytes]:
        """The sound of a sentence, s16le mono 24 kHz, in pieces, faster than real time.

        It follows the caller's ``manner`` a little, if that is given.
        """

    def answer(self, turn: Turn) -> AsyncIterator[Say | CallTool]:
        """What to say, sentence by sentence, and which tools to call."""
