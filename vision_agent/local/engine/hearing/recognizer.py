"""Speech to text for every conversation, done by one worker process."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence

from vision_agent.local.contract import Transcript
from vision_agent.local.engine.hearing.worker_messages import (
    AUDIO,
    BEGIN,
    CANCEL,
    END,
    PAUSE,
    RESULT,
    Vocabulary,
    transcript_from_bytes,
)
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerProcess

MOST_AT_ONCE = 16
"""Utterances that are transcribed at once; a further one is refused, and a warning is logged."""

LONGEST_BYTES = 15 * 32_000
"""The sound of an utterance after 15 s is dropped."""

_MOST_TRIES = 2  # sound that killed two workers would kill a third
_TIMEOUT_S = 30.0  # several times what a busy machine needs, and longer than a caller waits

_NOTHING = Transcript("", False)
_LOST = Transcript("", False, lost=True)
_log = logging.getLogger(__name__)


class Transcription:
    """One utterance in the worker; its sound is kept until there is a result."""

    def __init__(self, job: int, recognizer: Recognizer, vocabulary: Vocabulary) -> None:
        self.job = job
        self.opening = vocabulary.to_bytes()
        self.sound = bytearray()
        self.ended = False
        self.tries = 0
        self.result: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._recognizer = recognizer

    def feed(self, pcm: bytes) -> None:
        """Pass on sound, s16le mono 16 kHz; anything after 15 s is dropped."""
        pcm = pcm[: max(0, LONGEST_BYTES - len(self.sound))]
        if pcm and not self.result.done():
            self.sound += pcm
            self._recognizer.pass_on(AUDIO, self.job, pcm)

    def pause(self) -> None:
        """The utterance may be over: decode up to here. More sound may still follow."""
        self._recognizer.pass_on(PAUSE, self.job)

    def end(self) -> None:
        """The utterance is over."""
        self.ended = True
        self._recognizer.pass_on(END, self.job)

    def cancel(self) -> None:
        """Drop the utterance."""
        if not self.result.done():
            self._recognizer.pass_on(CANCEL, self.job)
            self._recognizer.settle(self.job, _NOTHING)

    async def transcript(self, timeout_s: float = _TIMEOUT_S) -> Transcript:
        """The transcript; ``lost`` after ``timeout_s``, or when its sound killed two workers."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self.result)
        except TimeoutError:
            _log.warning("an utterance was not transcribed within %g s", timeout_s)
            self.cancel()
            self._recognizer.check(timeout_s)
            return _LOST


class Recognizer:
    """Starts the worker and hands out transcriptions.

    The worker may still be starting, or die and be restarted: each transcription keeps its sound
    and sends it to the next worker, so a restart costs time and no words.

    Args:
        names: The taught names that every utterance may hold.
    """

    def __init__(self, names: TaughtNames | None = None) -> None:
        self._names = names or TaughtNames()
        self.worker = WorkerProcess(
            "vision_agent.local.engine.hearing.recognizer_worker",
            "The recogniser's process",
            self._on_message,
            on_ready=self._on_ready,
        )
        self._answered_s = 0.0
        self._jobs = itertools.count(1)
        self._open: dict[int, Transcription] = {}

    def start(self) -> None:
        """Start the worker in the background."""
        self.worker.start()

    async def close(self) -> None:
        """End the worker; whoever still waits gets an empty transcript."""
        await self.worker.close()
        for job in list(self._open):
            self.settle(job, _NOTHING)

    def begin(self, agents: Sequence[str] = ()) -> Transcription | None:
        """A new utterance; None when too many are being transcribed.

        Args:
            agents: Whom the caller may ask for by name.
        """
        if len(self._open) >= MOST_AT_ONCE:
            _log.warning("%d utterances at once: one more is not transcribed", MOST_AT_ONCE)
            return None
        vocabulary = Vocabulary(self._names.known, tuple(sorted(agents)))
        utterance = Transcription(next(self._jobs) % 2**32, self, vocabulary)
        self._open[utterance.job] = utterance
        self.pass_on(BEGIN, utterance.job, utterance.opening)
        return utterance

    def pass_on(self, op: int, job: int, payload: bytes = b"") -> None:
        """Send a message of an open utterance; without a worker, ``_on_ready`` sends it later."""
        if job in self._open:
            self.worker.send(op, job, payload)

    def check(self, timeout_s: float) -> None:
        """Restart a worker that has returned no result for ``timeout_s``.

        A worker that is only behind returns other results meanwhile.
        """
        if asyncio.get_running_loop().time() - self._answered_s >= timeout_s:
            self.worker.restart(f"has transcribed nothing for {timeout_s:g} s.")

    def settle(self, job: int, transcript: Transcript) -> None:
        """Set the result of an utterance and drop its sound."""
        utterance = self._open.pop(job, None)
        if utterance is not None and not utterance.result.done():
            utterance.sound.clear()
            utterance.result.set_result(transcript)

    def _on_ready(self) -> None:
        self._answered_s = asyncio.get_running_loop().time()
        for utterance in list(self._open.values()):
            utterance.tries += 1
            if utterance.tries > _MOST_TRIES:
                _log.error("giving up an utterance that the recogniser did not survive")
                self.settle(utterance.job, _LOST)
                continue
            self.worker.send(BEGIN, utterance.job, utterance.opening)
            self.worker.send(AUDIO, utterance.job, bytes(utterance.sound))
            if utterance.ended:
                self.worker.send(END, utterance.job)

    def _on_message(self, message: WorkerMessage) -> None:
        if message.op == RESULT:
            self._answered_s = asyncio.get_running_loop().time()
            _log.debug("recognised %s", message.payload.decode(errors="replace"))
            self.settle(message.job, transcript_from_bytes(message.payload))
