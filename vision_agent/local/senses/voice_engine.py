"""An engine whose voice is the user's own server's; another engine hears and answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from vision_agent.local.api.engine_port import ClosingEngine
from vision_agent.local.api.wrapped_engine import WrappedEngine
from vision_agent.local.brain.failures import BrainFailure
from vision_agent.local.contract import AnswerPart, Say, Turn
from vision_agent.local.senses.speech_client import SpeechClient
from vision_agent.own_models import SpeechServer

RETRY_S = 20.0
"""How long this machine's own voice speaks after a failure, before the server is asked again."""

logger = logging.getLogger(__name__)


class VoiceEngine(WrappedEngine[ClosingEngine]):
    """Speaks with a server's voice; while that fails, with the engine's, and says so.

    Args:
        server: The server.
        engine: Hears and answers; it is closed with this one.
    """

    def __init__(self, server: SpeechServer, engine: ClosingEngine) -> None:
        super().__init__(engine)
        self._server = server
        self._client = SpeechClient(server)
        self._silent_until_s = 0.0
        self._untold = ""

    async def close(self) -> None:
        """Close every connection to the server, and the engine."""
        await self._client.close()
        await self._engine.close()

    async def answer(self, turn: Turn) -> AsyncGenerator[AnswerPart, None]:
        """The engine's answer, and once after a failure that another voice speaks."""
        parts = cast("AsyncGenerator[AnswerPart, None]", self._engine.answer(turn))
        async with aclosing(parts) as coming:
            async for part in coming:
                yield part
        # The parts yielded before have been spoken by now.
        if self._untold:
            untold, self._untold = self._untold, ""
            yield Say(f"{untold} This machine's own voice speaks instead.")

    async def speak(
        self, text: str, voice_name: str | None, language_code: str | None
    ) -> AsyncIterator[bytes]:
        """The server's sound of a sentence; after a failure the engine's.

        A sentence whose sound breaks off is not repeated.
        """
        loop, begun = asyncio.get_running_loop(), False
        if loop.time() >= self._silent_until_s:
            try:
                async with aclosing(self._client.say(text)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except BrainFailure as failure:
                logger.warning("voice %s: %s: %s", self._server.host, failure.kind, failure)
                self._silent_until_s = loop.time() + RETRY_S
                self._untold = failure.sentence
        if begun:
            return
        speech = self._engine.speak(text, voice_name, language_code)
        async with aclosing(cast("AsyncGenerator[bytes, None]", speech)) as sound:
            async for piece in sound:
                yield piece
