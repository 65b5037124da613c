"""Speaks the sentences of cases in the local engine's voice, which the first one starts."""

from __future__ import annotations

import asyncio

from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.engine.speech.synthesis import Speech

# Twenty minutes of speech. Repeats and further agents ask the same.
_MAX_KEPT_BYTES = 60_000_000


class CallerVoice:
    """Speaks sentences, and keeps their sound until `close`."""

    def __init__(self) -> None:
        self._speech: Speech | None = None
        self._starting = asyncio.Lock()
        self._spoken: dict[tuple[str, str | None], bytes] = {}
        self._kept_bytes = 0

    async def close(self) -> None:
        """End its processes."""
        if self._speech is not None:
            await self._speech.close()

    async def speak(self, text: str, language: str | None = None) -> tuple[bytes, int]:
        """Speak a sentence.

        Args:
            text: The sentence.
            language: BCP-47; None: English.

        Returns:
            s16le mono, and its rate in Hz.

        Raises:
            SpeechError: There is no synthesizer.
        """
        key = (text, language)
        # One after the other: several calls at once often want the same sentence.
        async with self._starting:
            if key not in self._spoken:
                if self._speech is None:
                    self._speech = await Speech.start()
                pcm = await self._synthesize(self._speech, text, language)
                if self._kept_bytes + len(pcm) > _MAX_KEPT_BYTES:
                    return pcm, OUTPUT_RATE_HZ
                self._kept_bytes += len(pcm)
                self._spoken[key] = pcm
            return self._spoken[key], OUTPUT_RATE_HZ

    async def _synthesize(self, speech: Speech, text: str, language: str | None) -> bytes:
        if language is None or language.lower().startswith("en"):
            return await speech.ask(text)
        return b"".join([piece async for piece in speech.say(text, None, language)])
