"""Asks a server with OpenAI's chat-completions interface, and reads its answer as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import openai
from openai import AsyncStream
from openai.types.chat import ChatCompletionChunk

from vision_agent.local.brain.failures import BrainFailure, Part, slow
from vision_agent.local.brain.messages import Message
from vision_agent.local.contract import AnswerTokens
from vision_agent.local.openai_server import FAILURES, OpenAIServer
from vision_agent.own_models import Brain

BUSY_S = 10.0
"""How long a busy server is retried in total; it may name times within that."""

_FIRST_WAIT_S = 0.5

_PART: Part = "language model"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtPiece:
    """The next piece of the model's thoughts, as the server marks them."""

    text: str


@dataclass(frozen=True, slots=True)
class CallPiece:
    """The next piece of a call; see `functions.WrittenCalls.piece`."""

    index: int | None
    key: str
    name: str
    arguments: str


Piece = TextPiece | ThoughtPiece | CallPiece | AnswerTokens


class ChatClient:
    """A client of one server; any number of answers at once.

    Args:
        brain: The server.
        wishes: Fields of each request that a server may refuse; it is then asked without them.
    """

    def __init__(self, brain: Brain, wishes: Mapping[str, Any] | None = None) -> None:
        self._brain = brain
        self._server = OpenAIServer(brain, "--brain-model")
        self._wishes = {"stream_options": {"include_usage": True}, **(wishes or {})}

    async def close(self) -> None:
        """Close every connection."""
        await self._server.close()

    async def answer(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, may_call: bool = True
    ) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer as they come; closing the generator closes the request at once.

        Args:
            messages: The conversation.
            tools: The functions.
            may_call: Whether the model may call them.

        Raises:
            BrainFailure: There is no answer, or it broke off.
        """
        host, timeout_s = self._brain.host, self._brain.timeout_s
        pictures = any(isinstance(message["content"], list) for message in messages)
        opened = begun = False
        try:
            # The first token has one limit, however long the server was busy before it.
            until_s = asyncio.get_running_loop().time() + timeout_s
            opening = self._open(messages, tools, may_call=may_call)
            stream = await _by(until_s, opening)
            opened = True
            try:
                chunks = aiter(stream)
                while True:
                    chunk = await _by(until_s, anext(chunks, None))
                    if chunk is None:
                        return
                    try:
                        pieces = _pieces(chunk)
                    except (AttributeError, TypeError) as error:
                        raise ValueError(f"no part of an answer: {str(chunk)[:200]}") from error
                    for piece in pieces:
                        begun = True
                        yield piece
                    if begun:
                        # The time that was spent speaking does not count as waiting.
                        until_s = asyncio.get_running_loop().time() + timeout_s
            finally:
                await stream.close()
        except TimeoutError:
            raise slow(host, timeout_s, begun=begun) from None
        except FAILURES as error:
            raise self._server.failure(error, _PART, opened=opened, pictures=pictures) from error

    async def _open(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, may_call: bool
    ) -> AsyncStream[ChatCompletionChunk]:
        """The stream of an answer; a busy server is retried for a while."""
        loop = asyncio.get_running_loop()
        until_s, wait_s = loop.time() + BUSY_S, _FIRST_WAIT_S
        while True:
            try:
                return await self._ask(messages, tools, may_call=may_call)
            except openai.APIStatusError as error:
                failure = self._server.failure(error, _PART)
                again_s = wait_s if failure.retry_after_s is None else failure.retry_after_s
                if failure.kind != "busy" or loop.time() + again_s > until_s:
                    raise
            await asyncio.sleep(again_s)
            wait_s *= 2

    async def _ask(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, may_call: bool
    ) -> AsyncStream[ChatCompletionChunk]:
        wishes = dict(self._wishes)
        request: dict[str, Any] = {"messages": messages, "stream": True, **wishes}
        request["model"] = await self._server.model_name()
        if tools:
            request["tools"] = tools
            if not may_call:
                request["tool_choice"] = "none"
        try:
            completions = self._server.client.chat.completions
            stream: AsyncStream[ChatCompletionChunk] = await completions.create(**request)
        except openai.APIStatusError as error:
            said = str(error.body or error.message)
            refused = [name for name in wishes if name in said]
            if not refused:
                raise
            for name in refused:
                self._wishes.pop(name, None)
            return await self._ask(messages, tools, may_call=may_call)
        kind = stream.response.headers.get("content-type", "")
        if "json" in kind or "html" in kind:
            await stream.close()
            raise BrainFailure(
                "no_api",
                f"The server at {self._brain.host} does not speak OpenAI's chat interface.",
                f"{kind} instead of a stream of events",
            )
        return stream


async def _by(until_s: float, coming: Awaitable[_T]) -> _T:
    async with asyncio.timeout_at(until_s):
        return await coming


def _pieces(chunk: ChatCompletionChunk) -> list[Piece]:
    # OpenAI's client checks no types: whatever a server sends is in these fields.
    pieces: list[Piece] = []
    for choice in (chunk.choices or ())[:1]:
        delta = choice.delta
        for name in ("reasoning_content", "reasoning"):
            thought = getattr(delta, name, None)
            if isinstance(thought, str) and thought:
                pieces.append(ThoughtPiece(thought))
                break
        if isinstance(delta.content, str) and delta.content:
            pieces.append(TextPiece(delta.content))
        for call in delta.tool_calls or ():
            name = str((call.function and call.function.name) or "")
            arguments = str((call.function and call.function.arguments) or "")
            index = call.index if isinstance(call.index, int) else None
            pieces.append(CallPiece(index, str(call.id or ""), name, arguments))
    if chunk.usage is not None:
        details = chunk.usage.completion_tokens_details
        thoughts = (details.reasoning_tokens if details else 0) or 0
        pieces.append(
            AnswerTokens(
                chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0, thoughts
            )
        )
    return pieces
