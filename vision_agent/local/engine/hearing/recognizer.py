"""Speech to text for every conversation, done by one worker process."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence

from vision_agent.local.contract import Request, Transcript
from vision_agent.local.engine.hearing.larger_whisper import VARIABLE
from vision_agent.local.engine.hearing.whisper_text import Hypothesis
from vision_agent.local.engine.hearing.worker_messages import (
    AUDIO,
    BEGIN,
    CANCEL,
    END,
    PAUSE,
    RESULT,
    Recognition,
    Vocabulary,
)
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.language.understanding import (
    UNCERTAIN,
    Proposal,
    Understanding,
    by_rules,
    likelier,
)
from vision_agent.local.engine.language.vocatives import known_words
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerProcess

MOST_AT_ONCE = 16
"""Utterances that are transcribed at once; a further one is refused, and a warning is logged."""

LONGEST_BYTES = 60 * 32_000
"""After a minute without a pause, the rest of an utterance is dropped."""

WORKER = "vision_agent.local.engine.hearing.recognizer_worker"

_MOST_TRIES = 2  # sound that killed two workers would kill a third
_TIMEOUT_S = 30.0  # several times what a busy machine needs, and longer than a caller waits

LOST = Transcript("", False, lost=True)
_log = logging.getLogger(__name__)


async def understood(
    recognition: Recognition, vocabulary: Vocabulary, understanding: Understanding | None
) -> Transcript:
    """The transcript of an utterance, with the request that it makes.

    A request in only one Whisper's text counts; two requests with different intents count as none.
    Of two requests that differ in the thing, the one about a thing that people ask about counts:
    "where is my book" rather than "where is my buck".
    """
    if not recognition.text:
        return Transcript("", False)
    proposal, second = recognition.proposal, recognition.second
    text, request = await _spoken(recognition, proposal, vocabulary, understanding)
    if second is not None and second.text:
        also, wish = await _spoken(second, proposal, vocabulary, understanding)
        if request is None and wish is not None:
            text, request = also, wish
        elif request is not None and wish is not None and wish.intent != request.intent:
            request = None
        elif request and wish and request.loose and _knows(wish) and not _knows(request):
            text, request = also, wish
    unsure = recognition.log_probability < UNCERTAIN
    return Transcript(text, understood=request is not None, request=request, unsure=unsure)


def _knows(request: Request) -> bool:
    """Whether a request is about things that people ask about."""
    return all(said.split()[-1] in known_words() for said in request.slots.values() if said)


async def _spoken(
    hypothesis: Recognition | Hypothesis,
    proposal: Proposal | None,
    vocabulary: Vocabulary,
    understanding: Understanding | None,
) -> tuple[str, Request | None]:
    """The words according to one Whisper, and the request that they make."""
    names, agents = vocabulary.names, vocabulary.agents
    if understanding is None:
        text = likelier(hypothesis.text, proposal, names, agents, hypothesis.others)
        return text, by_rules(text, None, names, agents)
    return await understanding.spoken_request(
        hypothesis.text,
        proposal,
        names,
        agents,
        others=hypothesis.others,
        close=hypothesis.close,
        log_probability=hypothesis.log_probability,
    )


class Transcription:
    """One utterance in the worker; its sound is kept until there is a result."""

    def __init__(self, job: int, recognizer: Recognizer, vocabulary: Vocabulary) -> None:
        self.job = job
        self.vocabulary = vocabulary
        self.sound = bytearray()
        self.ended = False
        self.tries = 0
        self.result: asyncio.Future[Recognition | None] = asyncio.get_running_loop().create_future()
        self._recognizer = recognizer

    def feed(self, pcm: bytes) -> None:
        """Pass on sound, s16le mono 16 kHz; anything after a minute is dropped."""
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
            self._recognizer.settle(self.job, Recognition(""))

    async def transcript(self, timeout_s: float = _TIMEOUT_S) -> Transcript:
        """The transcript; ``lost`` after ``timeout_s``, or when its sound killed two workers."""
        try:
            async with asyncio.timeout(timeout_s):
                recognition = await asyncio.shield(self.result)
        except TimeoutError:
            _log.warning("an utterance was not transcribed within %g s", timeout_s)
            self.cancel()
            self._recognizer.check(timeout_s)
            return LOST
        if recognition is None:
            return LOST
        return await understood(recognition, self.vocabulary, self._recognizer.understanding)


class Recognizer:
    """Starts the worker and hands out transcriptions.

    The worker may still be starting, or die and be restarted: each transcription keeps its sound
    and sends it to the next worker, so a restart costs time and no words.

    Args:
        names: The taught names that every utterance may hold.
        understanding: Decides which request was made; None for rules alone.
        whisper: The model to hear with (`larger_whisper`); empty for the bundled one.
    """

    def __init__(
        self,
        names: TaughtNames | None = None,
        understanding: Understanding | None = None,
        whisper: str = "",
    ) -> None:
        self._names = names or TaughtNames()
        self.understanding = understanding
        self.worker = WorkerProcess(
            WORKER,
            "The recogniser's process",
            self._on_message,
            on_ready=self._on_ready,
            on_refused=self._on_refused,
            environment={VARIABLE: whisper} if whisper else None,
        )
        self._answered_s = 0.0
        self.off = ""
        """Why nobody is heard, in a sentence; empty while recognition works."""
        self._jobs = itertools.count(1)
        self._open: dict[int, Transcription] = {}

    def start(self) -> None:
        """Start the worker in the background."""
        self.worker.start()

    async def close(self) -> None:
        """End the worker; whoever still waits gets an empty transcript."""
        await self.worker.close()
        for job in list(self._open):
            self.settle(job, Recognition(""))

    def begin(self, agents: Sequence[str] = ()) -> Transcription | None:
        """A new utterance; None when too many are being transcribed, or none can be (`off`).

        Args:
            agents: The agents for which the caller may ask by name.
        """
        if self.off:
            return None
        if len(self._open) >= MOST_AT_ONCE:
            _log.warning("%d utterances at once: one more is not transcribed", MOST_AT_ONCE)
            return None
        vocabulary = Vocabulary(self._names.known, tuple(sorted(agents)))
        utterance = Transcription(next(self._jobs) % 2**32, self, vocabulary)
        self._open[utterance.job] = utterance
        self.pass_on(BEGIN, utterance.job, utterance.vocabulary.to_bytes())
        return utterance

    def pass_on(self, op: int, job: int, payload: bytes = b"") -> None:
        """Send a message of an open utterance; without a worker, ``_on_ready`` sends it later."""
        if job in self._open:
            self.worker.send(op, job, payload)

    def check(self, timeout_s: float) -> None:
        """Restart a worker that has returned no result for ``timeout_s``.

        A worker that is merely slow returns other results meanwhile.
        """
        if asyncio.get_running_loop().time() - self._answered_s >= timeout_s:
            self.worker.restart(f"has transcribed nothing for {timeout_s:g} s.")

    def settle(self, job: int, recognition: Recognition | None) -> None:
        """Set the result of an utterance, None for a lost one, and drop its sound."""
        utterance = self._open.pop(job, None)
        if utterance is not None and not utterance.result.done():
            utterance.sound.clear()
            utterance.result.set_result(recognition)

    def _on_ready(self) -> None:
        self._answered_s = asyncio.get_running_loop().time()
        for utterance in list(self._open.values()):
            utterance.tries += 1
            if utterance.tries > _MOST_TRIES:
                _log.error("giving up an utterance that the recogniser did not survive")
                self.settle(utterance.job, None)
                continue
            self.worker.send(BEGIN, utterance.job, utterance.vocabulary.to_bytes())
            self.worker.send(AUDIO, utterance.job, bytes(utterance.sound))
            if utterance.ended:
                self.worker.send(END, utterance.job)

    def _on_refused(self, why: str) -> None:
        _log.error("%s", why)
        self.off = why
        for job in list(self._open):
            self.settle(job, None)

    def _on_message(self, message: WorkerMessage) -> None:
        if message.op == RESULT:
            self._answered_s = asyncio.get_running_loop().time()
            _log.debug("recognised %s", message.payload.decode(errors="replace"))
            self.settle(message.job, Recognition.from_bytes(message.payload))
