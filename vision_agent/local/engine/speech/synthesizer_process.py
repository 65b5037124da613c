"""A speech worker's process, and the sentences that wait for it.

Sentences are synthesised one at a time, in the order in which they are ordered. A worker that dies
or hangs costs the sentence that it is speaking. The next sentence gets a new worker.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Mapping

from vision_agent.local.engine.speech.text import MAX_SENTENCE_S
from vision_agent.local.engine.speech.worker_messages import END, PIECE, SAY, STOP, Order
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerFailed, WorkerProcess

MAX_TEXTS = 256
"""Texts that may wait to be spoken at once; a further one is refused with `SpeechError`."""

# Generous: even on a very busy machine only a worker that hangs needs so long.
_START_TIMEOUT_S = 30.0
_SILENCE_S = 10.0

# A whole sentence fits, so a slow consumer of its pieces does not hold up other texts.
_MAX_PIECES = MAX_SENTENCE_S * 10 + 16


class SpeechError(Exception):
    """Speech is not possible, or the present text is lost; the message gives the reason."""


class NoSynthesizerError(SpeechError):
    """The worker cannot be started, and has begun no sentence."""


class UnsayableError(SpeechError):
    """The worker cannot say this sentence, and has made no sound of it; it can say others."""


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


class SynthesizerProcess:
    """A synthesiser in its worker, from `begin` to `close`.

    Args:
        module: The worker's module.
        name: The worker's name in errors and the log; a sentence begins with it.
        environment: The worker's variables in addition to this process's.
    """

    def __init__(
        self, module: str, name: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._jobs: asyncio.Queue[_SentenceJob] = asyncio.Queue(MAX_TEXTS)
        self._numbers = itertools.count(1)
        self._current: _SentenceJob | None = None
        # Messages of the worker; a string with the reason if it dies.
        self._answers: asyncio.Queue[WorkerMessage | str] = asyncio.Queue()
        self._worker = WorkerProcess(
            module,
            name,
            lambda message: self._answers.put_nowait(message),
            on_lost=lambda words: self._answers.put_nowait(words),
            environment=environment,
        )
        self._runner: asyncio.Task[None] | None = None
        self._refusal = ""
        self._closed = False

    def begin(self) -> None:
        """Starts the worker in the background, if it is not started; `say` waits for it."""
        if self._runner is None and not self._closed:
            self._worker.start()
            self._runner = asyncio.create_task(self._run(), name=self._name)

    async def ready(self) -> None:
        """Waits until the worker can speak.

        Raises:
            NoSynthesizerError: It cannot be started; the message gives the reason. A worker that
                has refused is not started again.
        """
        if self._refusal:
            raise NoSynthesizerError(self._refusal)
        self._worker.start()
        try:
            await self._worker.ready(_START_TIMEOUT_S)
        except WorkerFailed as error:
            if self._worker.refused:
                self._refusal = str(error)
            raise NoSynthesizerError(str(error)) from error

    @property
    def pid(self) -> int | None:
        """The id of the worker's process; None if there is none."""
        return self._worker.pid

    async def close(self) -> None:
        """Ends the worker within about a second; sentences of it fail. Safe to repeat."""
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

    async def say(self, order: Order) -> AsyncGenerator[bytes, None]:
        """Speaks a sentence; closing the iterator ends the synthesis.

        Yields:
            s16le mono 24 kHz, 100 ms each except for the last piece.

        Raises:
            NoSynthesizerError: The worker cannot be started.
            UnsayableError: The worker cannot say this.
            SpeechError: The worker died, too many sentences wait, or `close` was called.
        """
        job = self._submit(order)
        try:
            while (piece := await job.sound.get()) is not None:
                if isinstance(piece, SpeechError):
                    raise piece
                yield piece
        finally:
            job.wanted = False
            if job is self._current:
                self._worker.send(STOP, job.number)

    def _submit(self, order: Order) -> _SentenceJob:
        if self._closed:
            raise SpeechError("The voice is closed.")
        self.begin()
        job = _SentenceJob(next(self._numbers) % 2**32, order)
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            raise SpeechError(f"More than {MAX_TEXTS} texts are waiting to be spoken.") from None
        return job

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
            await self.ready()
            if not job.wanted:
                return
            failure = await self._spoken(job)
        except SpeechError:
            # This worker is no longer usable; the next sentence gets a new one.
            await self._worker.close()
            raise
        if failure:
            raise UnsayableError(failure)
        self._keep(job, None)

    async def _spoken(self, job: _SentenceJob) -> str:
        """Returns the reason why the worker failed at the sentence; empty if it succeeded."""
        self._answers = asyncio.Queue()
        if not self._worker.send(SAY, job.number, job.order.to_bytes()):
            raise SpeechError(f"{self._name} ended unexpectedly.")
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    answer = await self._answers.get()
            except TimeoutError:
                raise SpeechError(f"{self._name} has sent nothing for {_SILENCE_S:g} s.") from None
            if isinstance(answer, str):
                raise SpeechError(answer)
            if answer.job != job.number or answer.op not in (PIECE, END):
                raise SpeechError(f"{self._name} sent an unexpected message.")
            if answer.op == END:
                return answer.payload.decode(errors="replace")
            if job.wanted:
                self._keep(job, answer.payload)

    def _keep(self, job: _SentenceJob, piece: bytes | None) -> None:
        try:
            job.sound.put_nowait(piece)
        except asyncio.QueueFull:
            raise SpeechError(f"{self._name} sent more sound than a sentence can have.") from None
