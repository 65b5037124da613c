"""An answer as it is generated: the engine's sentences as sound with captions, or as text.

Sends nothing and knows nothing of turns: the session pulls the pieces and acts on each.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from vision_agent.local.api.captions import Captions
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.json_fields import as_text, field
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_actions import FunctionCall
from vision_agent.local.contract import OUTPUT_RATE_HZ, Say, ToolRequest, Turn

_BYTES_PER_MS = 2 * OUTPUT_RATE_HZ / 1000
_CHUNK_BYTES = round(100 * _BYTES_PER_MS)
"""Sound goes out in pieces of 100 ms: what the service sends, and a small step to interrupt at."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AnswerAudio:
    """Up to 100 ms of the answer's sound, s16le mono 24 kHz."""

    pcm: bytes

    @property
    def duration_ms(self) -> float:
        """How long it takes to play."""
        return len(self.pcm) / _BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class AnswerCaption:
    """The next words of a spoken answer, with the space in front of them."""

    words: str


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The next sentence of an answer in text, with the space in front of it."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerCalls:
    """Functions that the client has to run.

    Attributes:
        calls: What to run.
        in_background: Whether the answer goes on without their results; else this is its end.
    """

    calls: tuple[FunctionCall, ...]
    in_background: bool


AnswerPiece = AnswerAudio | AnswerCaption | AnswerText | AnswerCalls


class ResponseStream:
    """Generates the answers of one session.

    Args:
        engine: Answers and speaks.
        setup: Whether answers are spoken, in which voice and language, and by which model.
    """

    def __init__(self, engine: EnginePort, setup: Setup) -> None:
        self._engine = engine
        self._setup = setup

    async def answer(self, turn: Turn) -> AsyncGenerator[AnswerPiece, None]:
        """Generates one answer, piece by piece; closing the generator stops the engine."""
        awaited: list[FunctionCall] = []
        background: list[FunctionCall] = []
        lead = ""
        async with _closing(self._engine.answer(turn)) as parts:
            async for part in parts:
                if isinstance(part, ToolRequest):
                    call = FunctionCall(
                        f"function-call-{secrets.randbits(63)}", part.name, part.args
                    )
                    (background if self._in_background(part, turn) else awaited).append(call)
                    continue
                if background:
                    yield AnswerCalls(tuple(background), in_background=True)
                    background = []
                async with _closing(self._say(part, lead)) as pieces:
                    async for piece in pieces:
                        yield piece
                lead = " "
        if background:
            yield AnswerCalls(tuple(background), in_background=True)
        if awaited:
            yield AnswerCalls(tuple(awaited), in_background=False)

    async def _say(
        self, sentence: Say, lead: str
    ) -> AsyncGenerator[AnswerAudio | AnswerCaption | AnswerText, None]:
        if not self._setup.spoken:
            yield AnswerText(lead + sentence.text)
            return
        captions = Captions(lead + sentence.text)
        audio_ms = 0.0
        speech = self._engine.speak(
            sentence.text, self._setup.voice_name, self._setup.language_code
        )
        async with _closing(speech) as sound:
            async for pcm in sound:
                for start in range(0, len(pcm), _CHUNK_BYTES):
                    audio = AnswerAudio(pcm[start : start + _CHUNK_BYTES])
                    yield audio
                    audio_ms += audio.duration_ms
                    if words := captions.due(audio_ms):
                        yield AnswerCaption(words)
        if words := captions.rest():
            yield AnswerCaption(words)

    def _in_background(self, request: ToolRequest, turn: Turn) -> bool:
        declared = next((tool for tool in turn.tools if field(tool, "name") == request.name), {})
        behavior = as_text(field(declared, "behavior"), "behavior").upper()
        return self._setup.model.calls_in_background(behavior)


@asynccontextmanager
async def _closing(iterator: AsyncIterator[_T]) -> AsyncIterator[AsyncIterator[_T]]:
    """Closes an async generator when its reader leaves it, not when it is collected."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
