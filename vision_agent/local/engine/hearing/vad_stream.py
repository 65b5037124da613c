"""Speech detection for one conversation: when somebody speaks, and the transcript.

Sound passes a cheap level gate, then Silero, then ``endpointing``; an utterance goes to the
recogniser while it is spoken. Time is counted in samples fed: nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vision_agent.local.contract import SpeechStarted, SpeechStopped, Transcript
from vision_agent.local.engine.hearing.endpointing import (
    CHUNK_SAMPLES,
    Endpointer,
    Sensitivity,
)
from vision_agent.local.engine.hearing.loudness import LevelGate, dbfs
from vision_agent.local.engine.hearing.silero import SileroVoiceActivityDetector

if TYPE_CHECKING:
    from vision_agent.local.engine.hearing.recognizer import Recognizer, Transcription
    from vision_agent.local.senses.ears import OwnRecognizer, OwnTranscription

_CHUNK_BYTES = CHUNK_SAMPLES * 2
_PREFIX_CHUNKS = 10  # 320 ms before the onset belong to the first word
_SUFFIX_CHUNKS = 6  # 192 ms after the last voice; the rest of the silence is not decoded
_MOST_UNASKED = 8  # transcripts nobody asked for; the oldest is dropped


class _SpokenUtterance:
    """An utterance on its way to the recogniser, and its level over the noise."""

    def __init__(
        self,
        transcription: Transcription | OwnTranscription | None,
        noise_db: float,
        recognizer: Recognizer | OwnRecognizer,
    ) -> None:
        self.transcription = transcription
        self._recognizer = recognizer
        self._noise_db = noise_db
        self._power = 0.0
        self._voiced_chunks = 0

    def voiced(self, rms: float) -> None:
        """Count a voiced chunk."""
        self._power += rms * rms
        self._voiced_chunks += 1

    async def transcript(self) -> Transcript:
        """The transcript; a lost one if too many were speaking at once."""
        if self.transcription is None:
            transcript = Transcript("", False, lost=True)
        else:
            transcript = await self.transcription.transcript()
        return replace(transcript, snr_db=self._snr_db, deaf=self._recognizer.off)

    def cancel(self) -> None:
        if self.transcription is not None:
            self.transcription.cancel()

    @property
    def _snr_db(self) -> float | None:
        if not self._voiced_chunks:
            return None
        level = math.sqrt(self._power / self._voiced_chunks)
        return round(dbfs(level) - self._noise_db, 1)


class SpeechDetector:
    """Detects the speech of one caller. Made by ``LocalEngine.hearing``.

    Args:
        recognizer: Where utterances are transcribed.
        sensitivity: When speech begins and ends.
        automatic: False when the caller marks its own activity.
        agents: Whom the caller may ask for by name.
    """

    def __init__(
        self,
        recognizer: Recognizer | OwnRecognizer,
        sensitivity: Sensitivity,
        *,
        automatic: bool = True,
        agents: Sequence[str] = (),
    ) -> None:
        self._recognizer = recognizer
        self._agents = tuple(agents)
        self._automatic = automatic
        self._silero = SileroVoiceActivityDetector()
        self._endpointer = Endpointer(sensitivity)
        self._leave = sensitivity.leave
        self._gate = LevelGate()
        self._idle_before = True
        self._rest = b""
        self._fed_samples = 0
        # The same lead before the onset, however late the onset is detected.
        late_chunks = max(0, sensitivity.onset_chunks - Sensitivity().onset_chunks)
        self._held: deque[bytes] = deque(maxlen=_PREFIX_CHUNKS + late_chunks)
        self._since_voice = _SUFFIX_CHUNKS
        self._current: _SpokenUtterance | None = None
        self._spoken: deque[_SpokenUtterance] = deque()

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        """Take sound; returns the starts and ends of speech in it, in order.

        Args:
            pcm: s16le mono 16 kHz, any even number of bytes.
            over_agent: Whether the caller hears the agent meanwhile: then sound as quiet as the
                agent's echo is not taken for the caller.
        """
        data = self._rest + pcm
        events: list[SpeechStarted | SpeechStopped] = []
        whole = len(data) - len(data) % _CHUNK_BYTES
        for start in range(0, whole, _CHUNK_BYTES):
            event = self._chunk(data[start : start + _CHUNK_BYTES], over_agent)
            if event is not None:
                events.append(event)
        self._rest = data[whole:]
        return events

    async def transcript(self) -> Transcript:
        """The transcript of the oldest utterance that has stopped and was not fetched yet.

        Empty when there is none; ``lost`` when it could not be transcribed.
        """
        return await self._spoken.popleft().transcript() if self._spoken else Transcript("", False)

    def begin_activity(self) -> None:
        """The client signals the start of speech; this turns automatic detection off."""
        self._automatic = False
        self._endpointer.reset()
        self._held.clear()
        self._begin()

    def end_activity(self) -> None:
        """The client signals the end of speech."""
        if self._current is not None and self._rest:
            self._pass_on(self._rest)
        self._rest = b""
        self._end()

    def reset(self) -> None:
        """Drop the current utterance: the stream was paused, or somebody else speaks."""
        if self._current is not None:
            self._current.cancel()
            self._current = None
        self._endpointer.reset()
        self._silero.reset()
        self._held.clear()
        self._rest = b""

    async def close(self) -> None:
        """Cancel the open transcriptions."""
        self.reset()
        while self._spoken:
            self._spoken.popleft().cancel()

    def _chunk(self, chunk: bytes, over_agent: bool) -> SpeechStarted | SpeechStopped | None:
        self._fed_samples += CHUNK_SAMPLES
        samples = np.frombuffer(chunk, "<i2").astype(np.float32)
        rms = math.sqrt(samples.dot(samples) / samples.size)
        self._gate.feed(rms, over_agent=over_agent)
        probability = self._probability(chunk)
        event = None
        if self._automatic:
            at_ms = self._fed_samples // 16
            event = self._endpointer.feed(probability, at_ms, clear=self._gate.is_clear)
        if isinstance(event, SpeechStarted):
            self._begin()
        self._listen(chunk, probability, rms)
        if isinstance(event, SpeechStopped):
            self._end()
        return event

    def _probability(self, chunk: bytes) -> float:
        if self._gate.is_idle and not self._endpointer.speaking:
            self._idle_before = True
            return 0.0
        if self._idle_before:
            # Silero depends on earlier chunks: feed it the silence that the gate held back.
            self._idle_before = False
            self._silero.reset()
            for earlier in list(self._held)[-4:]:
                self._silero(earlier)
        probability = float(self._silero(chunk))
        return probability if self._gate.is_near or not self._automatic else 0.0

    def _listen(self, chunk: bytes, probability: float, rms: float) -> None:
        """Pass on voiced chunks and those around them; longer silence is dropped."""
        if self._current is None:
            self._held.append(chunk)
            return
        if probability >= self._leave:
            self._since_voice = 0
            self._current.voiced(rms)
            if self._held:
                self._pass_on(b"".join(self._held))
                self._held.clear()
        if self._since_voice < _SUFFIX_CHUNKS:
            self._pass_on(chunk)
            self._since_voice += 1
            if self._since_voice == _SUFFIX_CHUNKS and self._current.transcription is not None:
                self._current.transcription.pause()
        else:
            self._held.append(chunk)

    def _pass_on(self, pcm: bytes) -> None:
        if self._current is not None and self._current.transcription is not None:
            self._current.transcription.feed(pcm)

    def _begin(self) -> None:
        if self._current is not None:
            self._current.cancel()
        noise_db = dbfs(self._gate.background.rms)
        self._current = _SpokenUtterance(
            self._recognizer.begin(self._agents), noise_db, self._recognizer
        )
        self._since_voice = _SUFFIX_CHUNKS

    def _end(self) -> None:
        if self._current is None:
            return
        if self._current.transcription is not None:
            self._current.transcription.end()
        if len(self._spoken) == _MOST_UNASKED:
            self._spoken.popleft().cancel()
        self._spoken.append(self._current)
        self._current = None
        self._held.clear()
