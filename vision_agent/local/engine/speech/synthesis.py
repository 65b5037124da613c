"""Text to speech: hibari speaks English, and espeak-ng everything that hibari can't say.

Each text is spoken sentence by sentence. A sentence waits for at most one sentence of every other
text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.engine.speech.script_runs import runs
from vision_agent.local.engine.speech.synthesizer_process import (
    NoSynthesizerError,
    SpeechError,
    SynthesizerProcess,
    UnsayableError,
)
from vision_agent.local.engine.speech.text import sentences
from vision_agent.local.engine.speech.voices import (
    ENGLISH,
    QUESTION_VOICE,
    Voice,
    espeak_languages,
    voice_named,
)
from vision_agent.local.engine.speech.worker_messages import Order

_log = logging.getLogger(__name__)

__all__ = ["Speech", "SpeechError", "speak_question"]


class Speech:
    """The engine's voice, from `start` (or `begin`, which does not wait for it) to `close`."""

    def __init__(self) -> None:
        here = __name__.rpartition(".")[0]
        # Their small matrix products gain nothing from numpy's threads; without, they start faster.
        environment = {"OPENBLAS_NUM_THREADS": "1"}
        self._hibari = SynthesizerProcess(
            f"{here}.hibari_worker", "The speech process", environment
        )
        self._espeak = SynthesizerProcess(
            f"{here}.espeak_worker", "The speech process of espeak-ng", environment
        )
        self._told = ""

    def begin(self) -> None:
        """Starts the English voice in the background; `say` waits for it.

        espeak-ng is started by the first text that needs it: it is ready in 0.2 s, and most calls
        never need it.
        """
        self._hibari.begin()

    @classmethod
    async def start(cls) -> Speech:
        """Starts the voice and waits until it can speak.

        Raises:
            SpeechError: Neither hibari nor espeak-ng can be used; the message gives the reason.
        """
        speech = cls()
        speech.begin()
        try:
            try:
                await speech._hibari.ready()
            except NoSynthesizerError as error:
                speech._tell(error)
                await speech._espeak.ready()
        except BaseException:
            await speech.close()
            raise
        return speech

    @property
    def worker_pids(self) -> dict[str, int]:
        """The process ids of the running workers, by name: `hibari` and `espeak`."""
        pids = {"hibari": self._hibari.pid, "espeak": self._espeak.pid}
        return {name: pid for name, pid in pids.items() if pid is not None}

    async def close(self) -> None:
        """Ends the workers within about a second; texts being spoken fail. Safe to repeat."""
        await asyncio.gather(self._hibari.close(), self._espeak.close())

    async def say(
        self,
        text: str,
        voice_name: str | None = None,
        language_code: str | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Speaks a text.

        Closing the iterator, or cancelling the task that awaits it, ends the synthesis.

        Args:
            text: Any text; one without sound gives no pieces. See `text` for its bounds.
            voice_name: A voice of the Live API; None and unknown names mean the default voice.
            language_code: BCP-47. hibari speaks every kind of English with an American accent;
                espeak-ng the other languages, and English for those that it does not have.

        Yields:
            s16le mono 24 kHz, 100 ms each except for the last piece of a run, much faster than
            real time.

        Raises:
            SpeechError: A worker died or cannot be started, or `close` was called.
        """
        voice, languages = voice_named(voice_name), espeak_languages(language_code)
        async with aclosing(self._spoken(text, voice, languages)) as pieces:
            async for piece in pieces:
                yield piece

    async def ask(self, text: str) -> bytes:
        """Speaks a question in the way that the recogniser understands best; see `speak_question`.

        Returns:
            The whole sound, s16le mono 24 kHz.

        Raises:
            SpeechError: A worker died or cannot be started, or `close` was called.
        """
        if text.rstrip()[-1:].isalnum():
            text = f"{text.rstrip()}?"
        pieces = [piece async for piece in self._spoken(text, QUESTION_VOICE, (ENGLISH,))]
        return b"".join(pieces)

    async def _spoken(
        self, text: str, voice: Voice, languages: tuple[str, ...]
    ) -> AsyncGenerator[bytes, None]:
        for sentence in sentences(text):
            for run in runs(sentence, languages):
                order = Order(run.text, run.pause_ms, run.languages, voice)
                async with aclosing(self._say(order, hibari=run.hibari)) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _say(self, order: Order, *, hibari: bool) -> AsyncGenerator[bytes, None]:
        if hibari:
            try:
                async with aclosing(self._hibari.say(order)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except (NoSynthesizerError, UnsayableError) as error:
                self._tell(error)
        async with aclosing(self._espeak.say(order)) as pieces:
            async for piece in pieces:
                yield piece

    def _tell(self, error: SpeechError) -> None:
        """Logs why espeak-ng speaks instead of hibari, once for each reason in a row."""
        if str(error) != self._told:
            self._told = str(error)
            _log.warning("espeak-ng speaks instead of hibari: %s", error)


async def speak_question(text: str) -> tuple[bytes, int]:
    """Speaks a question in the way that the recogniser understands best, in a worker of its own.

    Args:
        text: The text, in English. Without a final punctuation mark it is spoken as a question:
            with that intonation, the recogniser understands two more of 21 sentences.

    Returns:
        The whole sound, s16le mono, and its rate in Hz.

    Raises:
        SpeechError: Neither hibari nor espeak-ng can be used.
    """
    speech = await Speech.start()
    try:
        return await speech.ask(text), OUTPUT_RATE_HZ
    finally:
        await speech.close()
