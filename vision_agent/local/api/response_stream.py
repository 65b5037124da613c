"""An answer as it is generated: the engine's sentences as sound with captions, or as text.

Sends nothing and knows nothing of turns: the session pulls the pieces and acts on each.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from vision_agent.local.api.call_ids import CallIds
from vision_agent.local.api.captions import Captions
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.habits import Habits
from vision_agent.local.api.json_fields import as_text, field
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.contract import (
    OUTPUT_RATE_HZ,
    AnswerPart,
    AnswerTokens,
    FunctionCall,
    Say,
    Thought,
    ToolRequest,
    Turn,
)

_BYTES_PER_MS = 2 * OUTPUT_RATE_HZ / 1000

_AHEAD_MS = 800
"""How far ahead of the sound its words are sent by a model that sends them ahead."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AnswerThought:
    """The model's thoughts before it speaks."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerAudio:
    """A piece of the answer's sound, s16le mono 24 kHz, with the words that ride with it."""

    pcm: bytes
    words: str = ""

    @property
    def duration_ms(self) -> float:
        """How long it takes to play."""
        return len(self.pcm) / _BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class AnswerCaption:
    """The next words of a spoken answer, in a message of their own."""

    words: str


@dataclass(frozen=True, slots=True)
class AnswerCaptioned:
    """All words of a spoken answer are out; its sound follows."""


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


AnswerPiece = (
    AnswerThought
    | AnswerAudio
    | AnswerCaption
    | AnswerCaptioned
    | AnswerText
    | AnswerCalls
    | AnswerTokens
)


class ResponseStream:
    """Generates the answers of one session.

    Args:
        engine: Answers and speaks.
        setup: Whether answers are spoken, in which voice and language, and by which model.
    """

    def __init__(self, engine: EnginePort, setup: Setup) -> None:
        self._engine = engine
        self._setup = setup
        self._habits = setup.habits
        self._ids = CallIds(setup.habits)

    def again(self, calls: tuple[FunctionCall, ...]) -> tuple[FunctionCall, ...]:
        """The same calls under other ids."""
        return tuple(self._call(ToolRequest(call.name, dict(call.args))) for call in calls)

    async def filler(self) -> AsyncGenerator[AnswerPiece, None]:
        """The filler before an answer, from a model that says one."""
        sentences = _Sentences(self._habits)
        async with _closing(self._say(Say(self._habits.filler), sentences)) as pieces:
            async for piece in pieces:
                yield piece

    async def answer(self, turn: Turn) -> AsyncGenerator[AnswerPiece, None]:
        """Generates one answer, piece by piece; closing the generator stops the engine."""
        awaited: list[FunctionCall] = []
        background: list[FunctionCall] = []
        sentences = _Sentences(self._habits)
        async with _closing(self._parts(turn)) as parts:
            async for part in parts:
                if isinstance(part, Thought):
                    if part.text:
                        yield AnswerThought(part.text)
                    continue
                if isinstance(part, AnswerTokens):
                    yield part
                    continue
                if isinstance(part, ToolRequest):
                    in_background = self._in_background(part, turn)
                    call = self._call(part, in_background=in_background)
                    (background if in_background else awaited).append(call)
                    continue
                if background:
                    yield AnswerCalls(tuple(background), in_background=True)
                    background = []
                async with _closing(self._say(part, sentences)) as pieces:
                    async for piece in pieces:
                        yield piece
        if sentences.kept:
            async with _closing(self._say_after_words(sentences)) as pieces:
                async for piece in pieces:
                    yield piece
        if background:
            yield AnswerCalls(tuple(background), in_background=True)
        if awaited:
            yield AnswerCalls(tuple(awaited), in_background=False)

    async def _parts(self, turn: Turn) -> AsyncGenerator[AnswerPart, None]:
        """The engine's answer; a model that thinks has thought about a question first."""
        thinks = self._habits.thinks and not turn.tool_results
        async with _closing(self._engine.answer(turn)) as parts:
            async for part in parts:
                if thinks and not isinstance(part, Thought):
                    yield Thought(_thought(turn.text))
                thinks = False
                yield part

    async def _say(self, sentence: Say, sentences: _Sentences) -> AsyncGenerator[AnswerPiece, None]:
        lead = "" if sentence.text[:1].isspace() else sentences.lead()
        if not self._setup.spoken:
            yield AnswerText(lead + sentence.text)
            return
        captions = Captions(lead + sentence.text, self._habits, opens=not lead)
        if self._habits.captions == "before":
            for words in captions.rest():
                yield AnswerCaption(words)
            sentences.kept.append(sentence)
            return
        audio_ms = 0.0
        ahead = self._habits.captions == "ahead"
        async with _closing(self._sound(sentence, sentences.sizes)) as sound:
            async for pcm, is_last in sound:
                audio = AnswerAudio(pcm)
                due_ms = audio_ms + (_AHEAD_MS if ahead else audio.duration_ms)
                pieces = captions.rest() if is_last else captions.due(due_ms)
                for piece in pieces if ahead else ():
                    yield AnswerCaption(piece)
                yield audio if ahead else AnswerAudio(pcm, "".join(pieces))
                audio_ms += audio.duration_ms
        for piece in captions.rest():
            yield AnswerCaption(piece)

    async def _say_after_words(self, sentences: _Sentences) -> AsyncGenerator[AnswerPiece, None]:
        yield AnswerCaptioned()
        for sentence in sentences.kept:
            async with _closing(self._sound(sentence, sentences.sizes)) as sound:
                async for pcm, _ in sound:
                    yield AnswerAudio(pcm)

    async def _sound(
        self, sentence: Say, sizes: Iterator[int]
    ) -> AsyncGenerator[tuple[bytes, bool], None]:
        """The sound of a sentence in pieces of the model's sizes, and which is the last one."""
        size = next(sizes)
        made = bytearray()
        spoken = sentence.text if sentence.spoken is None else sentence.spoken
        if not spoken:
            return
        speech = self._engine.speak(spoken, self._setup.voice_name, self._setup.language_code)
        async with _closing(speech) as sound:
            async for pcm in sound:
                made += pcm
                # One byte more, so that the last piece is known when it is given.
                while len(made) > size:
                    yield bytes(made[:size]), False
                    del made[:size]
                    size = next(sizes)
        if made:
            yield bytes(made), True

    def _call(self, request: ToolRequest, *, in_background: bool = False) -> FunctionCall:
        call_id = self._ids.next(in_background=in_background)
        return FunctionCall(call_id, request.name, request.args)

    def _in_background(self, request: ToolRequest, turn: Turn) -> bool:
        declared = next((tool for tool in turn.tools if field(tool, "name") == request.name), {})
        behavior = as_text(field(declared, "behavior"), "behavior").upper()
        return self._setup.model.calls_in_background(behavior)


class _Sentences:
    """The shared state of an answer's sentences: spaces, sizes of their sound, order."""

    def __init__(self, habits: Habits) -> None:
        first, again = (
            habits.chunk_bytes[: -habits.chunk_cycle],
            habits.chunk_bytes[-habits.chunk_cycle :],
        )
        self.sizes: Iterator[int] = itertools.chain(first, itertools.cycle(again))
        self.kept: list[Say] = []
        self._begun = False

    def lead(self) -> str:
        """The space in front of the next sentence."""
        begun, self._begun = self._begun, True
        return " " if begun else ""


def _thought(question: str) -> str:
    """A substitute for a language model's thoughts."""
    about = " ".join(question.split())[:80]
    return (
        f'**Considering the Request**\n\nI\'m looking at what was said, "{about}", and at what I '
        "can see, hear and call. I'll answer in a short sentence.\n\n\n"
    )


@asynccontextmanager
async def _closing(iterator: AsyncIterator[_T]) -> AsyncIterator[AsyncIterator[_T]]:
    """Closes an async generator when its reader leaves it, not when it is collected."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
