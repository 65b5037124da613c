"""An engine around another one, to which it passes everything that it does not change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from vision_agent.local.api.engine_port import EnginePort, Hearing
from vision_agent.local.contract import AnswerPart, HearingOptions, Turn

Engine = TypeVar("Engine", bound=EnginePort)


class WrappedEngine(Generic[Engine]):
    """Hears, answers and speaks as the other engine; classes beneath it replace one of these.

    Args:
        engine: The other one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hearing(
        self,
        options: HearingOptions,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> Hearing:
        """The other engine's hearing."""
        return self._engine.hearing(options, tools, instruction)

    def speak(
        self, text: str, voice_name: str | None, language_code: str | None
    ) -> AsyncIterator[bytes]:
        """The other engine's voice."""
        return self._engine.speak(text, voice_name, language_code)

    def answer(self, turn: Turn) -> AsyncIterator[AnswerPart]:
        """The other engine's answer."""
        return self._engine.answer(turn)
