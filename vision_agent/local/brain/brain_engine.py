"""An engine that answers with a language model, and hears and speaks with another engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from vision_agent.local.api.engine_port import ClosingEngine
from vision_agent.local.api.wrapped_engine import WrappedEngine
from vision_agent.local.brain.chat_client import CallPiece, ChatClient, TextPiece, ThoughtPiece
from vision_agent.local.brain.failures import BrainFailure, slow
from vision_agent.local.brain.functions import WrittenCall, WrittenCalls, declared, requested
from vision_agent.local.brain.messages import SILENT, Message, chat_messages
from vision_agent.local.brain.pictures import data_urls, newest_of_each
from vision_agent.local.brain.reasoning import Reasoning, Written
from vision_agent.local.brain.sentences import Sentences
from vision_agent.local.contract import (
    AnswerPart,
    AnswerTokens,
    Called,
    Say,
    SeenFrame,
    Thought,
    ToolRequest,
    Turn,
)
from vision_agent.local.engine.answers.notices import without_notices
from vision_agent.own_models import Brain

MAX_ANSWER = 1_600
"""Characters of one answer, less than two minutes of speech; the rest is not read."""

MAX_THOUGHTS = 60_000
"""Characters of thoughts before an answer."""

MAX_ROUNDS = 8
"""Rounds of calls in one turn; after them the model has to answer without a call."""

MAX_HISTORY = 24_000
"""Characters of the history that are sent, about 6000 tokens; half as many if that is too long for
the model."""

LEAST_HISTORY = 1_500

_LOST = "Sorry, I could not listen to that: too much is being said at once. Say it again."

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Answer:
    """The parts of one request's answer so far."""

    calls: WrittenCalls = field(default_factory=WrittenCalls)
    text: str = ""
    thoughts: int = 0


class BrainEngine(WrappedEngine[ClosingEngine]):
    """Answers with a language model.

    Args:
        brain: The model's server.
        engine: Hears and speaks; it is closed with this one.
    """

    def __init__(self, brain: Brain, engine: ClosingEngine) -> None:
        super().__init__(engine)
        self._brain = brain
        self._client = ChatClient(brain)
        self._blind = not brain.images
        self._history = MAX_HISTORY

    async def close(self) -> None:
        """Close every connection to the server, and the engine."""
        await self._client.close()
        await self._engine.close()

    async def answer(self, turn: Turn) -> AsyncGenerator[AnswerPart, None]:
        """The model's answer, sentence by sentence as it is written, and the tools it calls.

        If there is no answer, the reason is said in words.
        """
        if turn.transcript.lost or turn.transcript.deaf:
            yield Say(turn.transcript.deaf_answer or _LOST)
            return
        if not (turn.text.strip() or turn.steps or turn.tool_results):
            return
        # The thought has no words: the engine does not know what the model thinks.
        yield Thought("")
        # The limit also applies to the client's wait for a sign of life.
        until_s: float | None = asyncio.get_running_loop().time() + self._brain.answers_within_s
        try:
            async with aclosing(self._answer(without_notices(turn))) as parts:
                while True:
                    async with asyncio.timeout_at(until_s):
                        part = await anext(parts, None)
                    if part is None:
                        break
                    if isinstance(part, Say | ToolRequest):
                        until_s = None
                    yield part
        except TimeoutError:
            failure = slow(self._brain.host, self._brain.answers_within_s, begun=True)
            logger.warning("brain %s: %s: %s", self._brain.host, failure.kind, failure)
            yield Say(failure.sentence)
        except BrainFailure as failure:
            logger.warning("brain %s: %s: %s", self._brain.host, failure.kind, failure)
            yield Say(failure.sentence)

    async def _answer(self, turn: Turn) -> AsyncGenerator[AnswerPart, None]:
        corrections: list[Message] = []
        rounds = sum(isinstance(step, Called) for step in turn.steps)
        for _ in range(2):
            answer = _Answer()
            asking = self._ask(turn, corrections, answer, may_call=rounds < MAX_ROUNDS)
            async with aclosing(asking) as parts:
                async for part in parts:
                    yield part
            calls = answer.calls.calls
            if not calls:
                return
            if rounds >= MAX_ROUNDS:
                raise BrainFailure(
                    "calls", "I called one function after the other and came to no answer."
                )
            requests, wrong = requested(calls, turn.tools)
            if not wrong:
                for request in requests:
                    yield request
                return
            corrections += _corrected(answer.text, calls, wrong)
        raise BrainFailure(
            "calls",
            "I tried to use a function, and my language model did not call it properly.",
            "; ".join(wrong.values()),
        )

    async def _ask(
        self, turn: Turn, corrections: list[Message], answer: _Answer, *, may_call: bool
    ) -> AsyncGenerator[AnswerPart, None]:
        """Sends a request, and repeats it with less if necessary: fewer words, or no pictures."""
        tools = declared(turn.tools)
        learned = False
        while True:
            frames = [] if self._blind or learned else self._frames(turn)
            pictures = await asyncio.to_thread(data_urls, frames, self._brain.image_px)
            messages = chat_messages(
                turn,
                pictures,
                sources=[frame.source for frame in frames if len(frames) == len(pictures)],
                sees=not (self._blind or learned),
                most_characters=self._history,
            )
            pieces = self._client.answer([*messages, *corrections], tools, may_call=may_call)
            begun = False
            try:
                async with aclosing(self._read(pieces, turn, answer)) as parts:
                    async for part in parts:
                        if not begun and learned:
                            self._blind = True
                            logger.warning("brain %s takes no pictures", self._brain.host)
                        begun = True
                        for told in self._tells_blind(turn):
                            yield told
                        yield part
                return
            except BrainFailure as failure:
                if failure.kind == "pictures" and pictures:
                    learned = True
                elif failure.kind == "too_long" and self._history > LEAST_HISTORY:
                    self._history //= 2
                    logger.warning("brain %s: %s", self._brain.host, failure)
                else:
                    raise

    def _frames(self, turn: Turn) -> Sequence[SeenFrame]:
        return newest_of_each(turn, self._brain.images)

    def _tells_blind(self, turn: Turn) -> list[Say]:
        """Says, once in a conversation, that a model which should see can't."""
        if not (self._blind and self._brain.images and turn.frames) or turn.dialogue.told_blind:
            return []
        turn.dialogue.told_blind = True
        return [Say("I can't see your camera: my language model takes no pictures.")]

    async def _read(
        self, pieces: AsyncGenerator[Any, None], turn: Turn, answer: _Answer
    ) -> AsyncGenerator[AnswerPart, None]:
        """The parts of an answer; its calls are put into ``answer``."""
        reasoning, sentences = Reasoning(), Sentences()
        async with aclosing(pieces) as coming:
            async for piece in coming:
                match piece:
                    case AnswerTokens():
                        yield piece
                    case ThoughtPiece(text):
                        yield self._thought(text, answer)
                    case CallPiece(index, key, name, arguments):
                        answer.calls.piece(index, key, name, arguments)
                    case TextPiece(text):
                        for part in self._written(reasoning.feed(text), sentences, answer):
                            if _is_silence(part, turn):
                                return
                            yield part
                if len(answer.text) > MAX_ANSWER:
                    break
        for part in self._written(reasoning.end(), sentences, answer):
            yield part
        for say in sentences.end():
            if not _is_silence(say, turn):
                yield say
        silent = not (answer.text.strip() or answer.calls.calls)
        if silent and not (turn.asks_proactive or turn.steps):
            raise BrainFailure(
                "empty", f"My language model at {self._brain.host} gave an empty answer."
            )

    def _written(self, written: Any, sentences: Sentences, answer: _Answer) -> list[Say | Thought]:
        parts: list[Say | Thought] = []
        for each in written:
            match each:
                case Written("thought", text):
                    parts.append(self._thought(text, answer))
                case Written("call", text):
                    answer.calls.as_text(text)
                case Written(_, text):
                    text = text if answer.text else text.lstrip()
                    answer.text += text
                    parts += sentences.feed(text)
        return parts

    def _thought(self, text: str, answer: _Answer) -> Thought:
        answer.thoughts += len(text)
        if answer.thoughts > MAX_THOUGHTS:
            raise BrainFailure("slow", "I thought for too long and came to no answer.")
        return Thought(text)


def _is_silence(part: Say | Thought, turn: Turn) -> bool:
    if not (turn.asks_proactive and isinstance(part, Say)):
        return False
    return part.text.strip(" .[]()*").lower() == SILENT.strip("[]")


def _corrected(text: str, calls: Sequence[WrittenCall], wrong: Mapping[int, str]) -> list[Message]:
    """The message to the model about calls of which one is wrong; none of them has run."""
    ids = [f"w{place:08d}" for place in range(len(calls))]
    called = [
        # Servers refuse arguments that are not JSON.
        {"id": i, "type": "function", "function": {"name": call.name, "arguments": "{}"}}
        for i, call in zip(ids, calls, strict=True)
    ]
    told = [
        {
            "role": "tool",
            "tool_call_id": i,
            "content": f"Error: {wrong.get(place, 'Not run, another call was wrong. Call again.')}",
        }
        for place, i in enumerate(ids)
    ]
    return [{"role": "assistant", "content": text, "tool_calls": called}, *told]
