"""Speech to text for every conversation, done by one worker process."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging

from vision_agent.local.contract import Heard
from vision_agent.local.recognizer_worker import AUDIO, BEGIN, CANCEL, END, RESULT
from vision_agent.local.worker_process import Message, WorkerProcess

MOST_AT_ONCE = 16
"""Utterances in the worker at once; a further one is not transcribed and says so."""

_NOTHING = Heard("", False)
_log = logging.getLogger(__name__)


class Transcription:
    """One utterance on its way through the worker."""

    def __init__(self, recognizer: Recognizer, job: int, result: asyncio.Future[Heard]) -> None:
        self._recognizer = recognizer
        self._job = job
        self._result = result

    def feed(self, pcm: bytes) -> None:
        """Hand over sound (s16le mono 16 kHz) as it is spoken; beyond 15 s it is not listened to."""
        self._recognizer._send(AUDIO, self._job, pcm)

    def end(self) -> None:
        """Nothing more comes."""
        self._recognizer._send(END, self._job)

    def cancel(self) -> None:
        """Nobody wants the result."""
        if not self._result.done():
            self._recognizer._send(CANCEL, self._job)
            self._recognizer._settle(self._job, _NOTHING)

    async def heard(self, timeout_s: float = 10.0) -> Heard:
        """The transcript; after ``timeout_s``, or when the worker died, an empty one."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._result)
        except TimeoutError:
            _log.warning("an utterance was not transcribed within %g s", timeout_s)
            self.cancel()
            return _NOTHING


class Recognizer:
    """Starts the worker and hands out transcriptions.

    Sound that comes before the worker is up is kept (an utterance is bounded to 15 s) and sent
    when it is.
    """

    def __init__(self) -> None:
        self._worker = WorkerProcess(
            "vision_agent.local.recognizer_worker", self._on_message, self._on_death
        )
        self._jobs = itertools.count(1)
        self._results: dict[int, asyncio.Future[Heard]] = {}
        self._early: list[tuple[int, int, bytes]] = []
        self._early_bytes = 0
        self._opener: asyncio.Task[None] | None = None

    @property
    def worker(self) -> WorkerProcess:
        """The process, for its id and its restarts."""
        return self._worker

    def start(self) -> None:
        """Start the worker in the background."""
        self._worker.start()
        self._opener = asyncio.create_task(self._send_early(), name="recognizer start")

    async def close(self) -> None:
        """End the worker; whoever still waits gets an empty transcript."""
        if self._opener is not None:
            self._opener.cancel()
            await asyncio.gather(self._opener, return_exceptions=True)
        await self._worker.close()
        self._on_death()

    def begin(self) -> Transcription | None:
        """A new utterance; None when too many are being transcribed."""
        if len(self._results) >= MOST_AT_ONCE:
            _log.warning("%d utterances at once: one more is not transcribed", MOST_AT_ONCE)
            return None
        job = next(self._jobs)
        self._results[job] = result = asyncio.get_running_loop().create_future()
        self._send(BEGIN, job)
        return Transcription(self, job, result)

    def _send(self, op: int, job: int, payload: bytes = b"") -> None:
        if job not in self._results:
            return
        if self._opener is not None and not self._opener.done():
            # 15 s each of as many as may speak at once.
            if self._early_bytes + len(payload) <= MOST_AT_ONCE * 15 * 32_000:
                self._early.append((op, job, payload))
                self._early_bytes += len(payload)
        elif not self._worker.send(op, job, payload):
            self._settle(job, _NOTHING)

    async def _send_early(self) -> None:
        await self._worker.ready(30.0)
        for op, job, payload in self._early:
            self._worker.send(op, job, payload)
        self._early.clear()

    def _settle(self, job: int, heard: Heard) -> None:
        result = self._results.pop(job, None)
        if result is not None and not result.done():
            result.set_result(heard)

    def _on_message(self, message: Message) -> None:
        if message.op == RESULT:
            found = json.loads(message.payload)
            _log.debug("heard %s", found)
            self._settle(message.job, Heard(found["text"], found["understood"]))

    def _on_death(self) -> None:
        for job in list(self._results):
            self._settle(job, _NOTHING)
