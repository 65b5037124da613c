"""Making an answer: the engine's sentences become sound, captions and tool calls on the wire."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from vision_agent.local.api import server_messages
from vision_agent.local.api.captions import Captions
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.send_queue import SendQueue
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_actions import FunctionCall
from vision_agent.local.contract import OUTPUT_RATE_HZ, Say, Turn

_BYTES_PER_MS = 2 * OUTPUT_RATE_HZ / 1000
_CHUNK_BYTES = round(100 * _BYTES_PER_MS)
"""Sound goes out in pieces of 100 ms: what the service sends, and a small step to interrupt at."""

_T = TypeVar("_T")


class Floor(Protocol):
    """What an answer being made tells the one who keeps the floor."""

    def put_out(self, audio_ms: float, text: str) -> None:
        """A piece is on its way: milliseconds of sound, words of text."""

    def launch(self, calls: list[FunctionCall]) -> None:
        """These tools have to be called, and the answer goes on without them."""

    def in_background(self, tool: str) -> bool:
        """Whether an answer goes on without waiting for this tool."""

    async def until_due(self) -> None:
        """Waits until the next piece of sound may go out."""


class ResponseStream:
    """Makes the answers of one session, one at a time.

    Args:
        engine: What thinks and speaks.
        setup: In which voice, with captions or without, in sound or in text.
        outbox: Where the pieces go.
    """

    def __init__(self, engine: EnginePort, setup: Setup, outbox: SendQueue) -> None:
        self._engine = engine
        self._setup = setup
        self._outbox = outbox
        self._said: list[str] = []

    def take_said(self) -> str:
        """What went out since the last call: all of an answer, or as far as it came."""
        said = " ".join("".join(self._said).split())
        self._said = []
        return said

    async def make(self, turn: Turn, floor: Floor) -> list[FunctionCall]:
        """Makes one answer and sends it as it comes.

        Args:
            turn: What to answer.
            floor: Told what goes out.

        Returns:
            The tools that have to be called before the answer can go on; mostly none.
        """
        calls: list[FunctionCall] = []
        background: list[FunctionCall] = []
        lead = ""
        async with _finishing(self._engine.answer(turn)) as parts:
            async for part in parts:
                if isinstance(part, Say):
                    if background:
                        floor.launch(background)
                        background = []
                    await self._say(part.text, lead, floor)
                    lead = " "
                    continue
                call = FunctionCall(f"function-call-{secrets.randbits(63)}", part.name, part.args)
                (background if floor.in_background(part.name) else calls).append(call)
        if background:
            floor.launch(background)
        return calls

    async def _say(self, sentence: str, lead: str, floor: Floor) -> None:
        if not lead and self._said:
            self._said.append(" ")
        if not self._setup.spoken:
            await self._put(server_messages.model_text(lead + sentence))
            self._said.append(lead + sentence)
            floor.put_out(0.0, lead + sentence)
            return
        captions = Captions(lead + sentence)
        audio_ms = 0.0
        speech = self._engine.speak(
            sentence,
            self._setup.voice_name,
            self._setup.language_code,
        )
        async with _finishing(speech) as sound:
            async for pcm in sound:
                for start in range(0, len(pcm), _CHUNK_BYTES):
                    chunk = pcm[start : start + _CHUNK_BYTES]
                    await floor.until_due()
                    await self._put(server_messages.model_audio(chunk))
                    chunk_ms = len(chunk) / _BYTES_PER_MS
                    audio_ms += chunk_ms
                    floor.put_out(chunk_ms, "")
                    await self._caption(captions.due(audio_ms))
        await self._caption(captions.rest())

    async def _caption(self, words: str) -> None:
        if words:
            if self._setup.output_transcription:
                await self._put(server_messages.output_transcription(words))
            self._said.append(words)

    async def _put(self, reply: server_messages.ServerMessage) -> None:
        await self._outbox.put_speech(server_messages.encode(reply))
        # Speech is made much faster than it is heard and often without a pause; the first piece
        # is on its way before the second is made, and the receive loop gets its turn.
        await asyncio.sleep(0)


@asynccontextmanager
async def _finishing(iterator: AsyncIterator[_T]) -> AsyncIterator[AsyncIterator[_T]]:
    """Closes an async generator when its reader leaves it, not when it is collected."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
