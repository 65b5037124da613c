"""Speech to text for every conversation, by the user's own server."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import wave
from collections.abc import Sequence

from vision_agent.local.brain.failures import BrainFailure
from vision_agent.local.contract import INPUT_RATE_HZ, Transcript
from vision_agent.local.engine.hearing.recognizer import (
    LONGEST_BYTES,
    LOST,
    MOST_AT_ONCE,
    understood,
)
from vision_agent.local.engine.hearing.worker_messages import Recognition, Vocabulary
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.openai_server import FAILURES, OpenAIServer
from vision_agent.own_models import Ears

ANSWERS_WITHIN_S = 20.0
"""The longest wait for a transcript."""

MOST_CHARACTERS = 4_000
"""The most characters of one transcript; a minute of fast speech has 1500."""

logger = logging.getLogger(__name__)


class OwnTranscription:
    """One utterance, which is sent when it is over."""

    def __init__(self, recognizer: OwnRecognizer, vocabulary: Vocabulary) -> None:
        self._recognizer = recognizer
        self._vocabulary = vocabulary
        self._sound = bytearray()
        self._asked: asyncio.Task[Transcript] | None = None

    def feed(self, pcm: bytes) -> None:
        """Keep sound, s16le mono 16 kHz; anything after a minute is dropped."""
        self._sound += pcm[: max(0, LONGEST_BYTES - len(self._sound))]

    def pause(self) -> None:
        """Does nothing before the end: a server may charge for each request."""

    def end(self) -> None:
        """The utterance is over, and its sound is sent."""
        asking = self._recognizer.transcript(bytes(self._sound), self._vocabulary)
        self._asked = asyncio.create_task(asking, name="transcription")
        self._asked.add_done_callback(lambda _: self._recognizer.settle(self))
        self._sound.clear()

    def cancel(self) -> None:
        """Drop the utterance; a request that is under way is closed."""
        if self._asked is not None:
            self._asked.cancel()
        self._recognizer.settle(self)

    async def transcript(self) -> Transcript:
        """The transcript; ``lost`` if the server gives none."""
        if self._asked is None:
            return LOST
        try:
            return await asyncio.shield(self._asked)
        except asyncio.CancelledError:
            if self._asked.cancelled():
                return Transcript("", False)
            raise


class OwnRecognizer:
    """Has one server transcribe the speech of all conversations.

    Args:
        ears: The server.
        names: The taught names.
        understanding: Decides which request was made.

    Attributes:
        off: Why nobody is heard, in a sentence; empty as long as the newest request succeeded.
    """

    def __init__(self, ears: Ears, names: TaughtNames, understanding: Understanding) -> None:
        self._ears = ears
        self._names = names
        self._understanding = understanding
        self._server = OpenAIServer(ears, "--ears-model")
        self._open: set[OwnTranscription] = set()
        self.off = ""

    def start(self) -> None:
        """Does nothing: no process has to be started."""

    async def close(self) -> None:
        """Close every connection; whoever still waits gets an empty transcript."""
        for utterance in list(self._open):
            utterance.cancel()
        await self._server.close()

    def begin(self, agents: Sequence[str] = ()) -> OwnTranscription | None:
        """A new utterance; None when too many are open.

        Args:
            agents: The agents for which the caller may ask by name.
        """
        if len(self._open) >= MOST_AT_ONCE:
            logger.warning("%d utterances at once: one more is not transcribed", MOST_AT_ONCE)
            return None
        utterance = OwnTranscription(self, Vocabulary(self._names.known, tuple(sorted(agents))))
        self._open.add(utterance)
        return utterance

    def settle(self, utterance: OwnTranscription) -> None:
        """Forgets an utterance that is over."""
        self._open.discard(utterance)

    async def transcript(self, pcm: bytes, vocabulary: Vocabulary) -> Transcript:
        """Ask the server; a failure is logged, and `off` says it in words."""
        try:
            text = await self._ask(pcm)
        except BrainFailure as failure:
            if failure.sentence != self.off:
                logger.warning("ears %s: %s: %s", self._ears.host, failure.kind, failure)
            self.off = failure.sentence
            return LOST
        self.off = ""
        return await understood(Recognition(text), vocabulary, self._understanding)

    async def _ask(self, pcm: bytes) -> str:
        host = self._ears.host
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                transcriptions = self._server.client.audio.transcriptions
                answer = await transcriptions.create(
                    file=("speech.wav", _wav(pcm), "audio/wav"),
                    model=await self._server.model_name("whisper-1"),
                    response_format="json",
                )
        except TimeoutError:
            raise BrainFailure(
                "slow",
                f"My hearing at {host} has not answered; I waited {ANSWERS_WITHIN_S:g} seconds.",
            ) from None
        except FAILURES as error:
            raise self._server.failure(error, "hearing") from error
        text = getattr(answer, "text", None)
        if not isinstance(text, str):
            raise BrainFailure(
                "no_api",
                f"The server at {host} does not speak OpenAI's transcription interface.",
                f"no text in the answer: {str(answer)[:200]!r}",
            )
        return " ".join(text[:MOST_CHARACTERS].split())


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with contextlib.closing(wave.open(file, "wb")) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(INPUT_RATE_HZ)
        sound.writeframes(pcm)
    return file.getvalue()
