"""Text to speech: sentences go to the speech worker one at a time, with fair scheduling.

Each text is spoken sentence by sentence. A sentence waits for at most one sentence of every other
text. The worker is restarted when it dies.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator

from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.engine.speech.text import MAX_SENTENCE_S, sentences
from vision_agent.local.engine.speech.voices import (
    ENGLISH,
    QUESTION_VOICE,
    EspeakVoice,
    espeak_languages,
    voice_named,
)
from vision_agent.local.engine.speech.worker_messages import END, PIECE, SAY, STOP, Order
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerFailed, WorkerProcess

_log = logging.getLogger(__name__)

MAX_TEXTS = 256
"""Texts that may wait to be spoken at once; a further one is refused with `SpeechError`."""

# Generous: even on a very busy machine only a worker that hangs needs so long.
_START_TIMEOUT_S = 30.0
_SILENCE_S = 10.0

# A whole sentence fits, so a slow consumer of its pieces does not hold up other texts.
_MAX_PIECES = MAX_SENTENCE_S * 10 + 16


class SpeechError(Exception):
    """Speech is not possible, or the present text is lost; the message gives the reason."""


class _SentenceJob:
    """A sentence, and the pieces of its sound so far."""

    def __init__(self, number: int, order: Order) -> None:
        self.number = number
        self.order = order
        self.wanted = True
        self.sound: asyncio.Queue[bytes | SpeechError | None] = asyncio.Queue(_MAX_PIECES)

    def fail(self, error: SpeechError) -> None:
        """Ends the sound with an error, even if the queue is full."""
        if self.sound.full():
            self.sound.get_nowait()
        self.sound.put_nowait(error)


class Speech:
    """The engine's voice, from `start` (or `begin`, which does not wait for it) to `close`."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[_SentenceJob] = asyncio.Queue(MAX_TEXTS)
        self._numbers = itertools.count(1)
        self._current: _SentenceJob | None = None
        # Messages of the worker; a string with the reason if it dies.
        self._answers: asyncio.Queue[WorkerMessage | str] = asyncio.Queue()
        self._worker = WorkerProcess(
            "vision_agent.local.engine.speech.worker",
            "The speech process",
            lambda message: self._answers.put_nowait(message),
            on_lost=lambda words: self._answers.put_nowait(words),
            # The worker's small products gain nothing from numpy's threads, and it starts faster.
            environment={"OPENBLAS_NUM_THREADS": "1"},
        )
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    def begin(self) -> None:
        """Starts the worker process in the background; `say` waits for it."""
        self._worker.start()
        self._runner = asyncio.create_task(self._run(), name="speech")

    @classmethod
    async def start(cls) -> Speech:
        """Starts the worker process and waits until it can speak.

        Raises:
            SpeechError: espeak-ng cannot be used; the message gives the reason.
        """
        speech = cls()
        try:
            await speech._worker_ready()
        except BaseException:
            await speech._worker.close()
            raise
        speech.begin()
        return speech

    @property
    def worker_pid(self) -> int | None:
        """The id of the worker's process; None if there is none."""
        return self._worker.pid

    async def close(self) -> None:
        """Ends the worker within about a second; texts being spoken fail. Safe to repeat."""
        self._closed = True
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])
        # A runner that was cancelled before its first step has not failed the waiting jobs.
        await self._give_up()
        if (
            self._runner is not None
            and not self._runner.cancelled()
            and (error := self._runner.exception())
        ):
            raise error

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
            language_code: BCP-47; English if espeak-ng does not have the language.

        Yields:
            s16le mono 24 kHz, 100 ms each except for the last piece of a sentence, much faster than
            real time.

        Raises:
            SpeechError: The worker died or cannot be started, or `close` was called.
        """
        voice, languages = voice_named(voice_name), espeak_languages(language_code)
        async for piece in self._say(text, voice, languages):
            yield piece

    async def _say(
        self, text: str, voice: EspeakVoice, languages: tuple[str, ...]
    ) -> AsyncGenerator[bytes, None]:
        for sentence in sentences(text):
            order = Order(sentence.text, sentence.pause_ms, languages, voice)
            job = self._submit(order)
            try:
                while (piece := await job.sound.get()) is not None:
                    if isinstance(piece, SpeechError):
                        raise piece
                    yield piece
            finally:
                self._drop(job)

    def _submit(self, order: Order) -> _SentenceJob:
        if self._closed:
            raise SpeechError("The voice is closed.")
        job = _SentenceJob(next(self._numbers) % 2**32, order)
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            raise SpeechError(f"More than {MAX_TEXTS} texts are waiting to be spoken.") from None
        return job

    def _drop(self, job: _SentenceJob) -> None:
        job.wanted = False
        if job is self._current:
            self._worker.send(STOP, job.number)

    async def _run(self) -> None:
        """Serves one job after another; owns the worker."""
        try:
            while True:
                job = await self._jobs.get()
                if not job.wanted:
                    continue
                self._current = job
                try:
                    await self._serve(job)
                except SpeechError as error:
                    _log.warning("A sentence could not be spoken: %s", error)
                    job.fail(error)
                self._current = None
        finally:
            await self._give_up()

    async def _give_up(self) -> None:
        self._closed = True
        if self._current is not None:
            self._current.fail(SpeechError("The voice was closed."))
            self._current = None
        while not self._jobs.empty():
            self._jobs.get_nowait().fail(SpeechError("The voice was closed."))
        await self._worker.close()

    async def _serve(self, job: _SentenceJob) -> None:
        try:
            await self._worker_ready()
            if not job.wanted:
                return
            failure = await self._spoken(job)
        except SpeechError:
            # This worker is no longer usable; the next sentence gets a new one.
            await self._worker.close()
            raise
        if failure:
            raise SpeechError(failure)
        self._keep(job, None)

    async def _worker_ready(self) -> None:
        self._worker.start()
        try:
            await self._worker.ready(_START_TIMEOUT_S)
        except WorkerFailed as error:
            raise SpeechError(str(error)) from error

    async def _spoken(self, job: _SentenceJob) -> str:
        """Returns the worker's final words: empty, or the reason why it failed."""
        self._answers = asyncio.Queue()
        if not self._worker.send(SAY, job.number, job.order.to_bytes()):
            raise SpeechError("The speech process ended unexpectedly.")
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    answer = await self._answers.get()
            except TimeoutError:
                raise SpeechError(f"The speech process was silent for {_SILENCE_S:g} s.") from None
            if isinstance(answer, str):
                raise SpeechError(answer)
            if answer.job != job.number or answer.op not in (PIECE, END):
                raise SpeechError("The speech process answered what it was not asked.")
            if answer.op == END:
                return answer.payload.decode(errors="replace")
            if job.wanted:
                self._keep(job, answer.payload)

    @staticmethod
    def _keep(job: _SentenceJob, piece: bytes | None) -> None:
        try:
            job.sound.put_nowait(piece)
        except asyncio.QueueFull:
            raise SpeechError("The speech process gave more than one sentence can be.") from None


async def speak_question(text: str) -> tuple[bytes, int]:
    """Speaks a question in the way that the recogniser understands best, in a worker of its own.

    Args:
        text: The text, in English. Without a final punctuation mark it is spoken as a question: of
            21 sentences two more are understood with the intonation of a question.

    Returns:
        The whole sound, s16le mono, and its rate in Hz.

    Raises:
        SpeechError: espeak-ng cannot be used.
    """
    if text.rstrip()[-1:].isalnum():
        text = f"{text.rstrip()}?"
    speech = await Speech.start()
    try:
        pieces = [piece async for piece in speech._say(text, QUESTION_VOICE, (ENGLISH,))]
    finally:
        await speech.close()
    return b"".join(pieces), OUTPUT_RATE_HZ
