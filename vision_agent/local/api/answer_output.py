"""One answer on its way to the client: its messages, their pace, and the context's record of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vision_agent.local.api.answer_messages import AnswerMessages
from vision_agent.local.api.context import Context
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerCaption,
    AnswerPiece,
    AnswerText,
    AnswerThought,
)
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.speech_pacing import speech_wait_ms
from vision_agent.local.contract import AnswerTokens


class AnswerOutput:
    """Sends the pieces of one answer.

    Args:
        setup: The model's habits.
        context: Is told what went out.
        send: Queues a message that an interruption may take back.
        before: Gives the messages that come before the first piece, which may be a call.
    """

    def __init__(
        self,
        setup: Setup,
        context: Context,
        send: Callable[[ServerMessage], Awaitable[None]],
        before: Callable[[bool], list[ServerMessage]],
    ) -> None:
        self._messages = AnswerMessages(setup)
        self._pace = setup.habits.pace
        self._context = context
        self._send = send
        self._before = before
        self._begun = False
        self._loop = asyncio.get_running_loop()
        self._sent_ms = 0.0
        self._speaks_since_s = 0.0

    async def put(self, piece: AnswerPiece) -> None:
        """Sends a piece, sound no faster than the model's pace."""
        if not self._begun and not isinstance(piece, AnswerTokens):
            await self._begin(piece)
        if isinstance(piece, AnswerAudio):
            elapsed_ms = 1000 * (self._loop.time() - self._speaks_since_s)
            await asyncio.sleep(speech_wait_ms(self._pace, self._sent_ms, elapsed_ms) / 1000)
        for message in self._messages.of(piece):
            await self._send(message)
        self._record(piece)

    async def _begin(self, piece: AnswerPiece) -> None:
        self._begun = True
        lead = self._messages.lead()
        if lead:
            lead[-1] |= self._context.prompt_usage()
        for message in [*self._before(isinstance(piece, AnswerCalls)), *lead]:
            await self._send(message)

    def _record(self, piece: AnswerPiece) -> None:
        match piece:
            case AnswerThought(text):
                self._context.thought_out(text)
            case AnswerAudio(_, words):
                if not self._sent_ms:
                    self._speaks_since_s = self._loop.time()
                self._sent_ms += piece.duration_ms
                self._context.caption_out(words)
                self._context.audio_out(piece.duration_ms)
            case AnswerCaption(words):
                self._context.caption_out(words, ahead=True)
            case AnswerText(text):
                self._context.text_out(text)
            case AnswerCalls(calls):
                self._context.called(calls)
            case AnswerTokens():
                self._context.tokens(piece)
