"""The agent's voice as received: its voiced stretches and its samples. Pure."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from vision_agent.caller.answer_gap import AnswerGap
from vision_agent.caller.level import VOICED_RMS, rms
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples
from vision_agent.caller.utterances import Span

# 86 MB. Recording and timeout bound a call already; this bounds what a misbehaving server costs.
_MAX_KEPT_S = 15 * 60


class ReceivedAudio:
    """Collects received audio and its voiced stretches, in ms on the call's timeline.

    Args:
        mid_answer: The agent is speaking: the rest of that answer, if it is interrupted, is not
            kept.

    Attributes:
        voiced_ms: How much of it is voiced.
        received_ms: The end of the newest frame, voiced or not; None before the first.
    """

    def __init__(self, *, mid_answer: bool = False) -> None:
        self._mid_answer, self._interrupted = mid_answer, False
        self.voiced_ms = 0
        self.received_ms: int | None = None
        self._stretches: list[Span] = []
        self._kept: list[Samples] = []
        self._kept_samples = 0
        self._end_of_voice = 0
        self._gap = AnswerGap()

    def interrupted(self, at_ms: int) -> None:
        """Note that an answer was interrupted: the voice from `at_ms` on is the next answer's."""
        self._gap.interrupted(at_ms)
        self._interrupted = True

    def feed(self, samples: Samples, arrived_ms: int) -> None:
        """Take one frame of mono s16 at `SOUND_RATE_HZ`.

        Args:
            samples: The decoded frame, usually 20 ms.
            arrived_ms: When its packet arrived.
        """
        length_ms = len(samples) * 1000 // SOUND_RATE_HZ
        self.received_ms = end_ms = arrived_ms + length_ms
        voiced = rms(samples) >= VOICED_RMS
        if voiced:
            last = self._stretches[-1] if self._stretches else None
            if last is not None and self._gap.goes_on(last.end_ms, arrived_ms):
                self._stretches[-1] = Span(last.start_ms, max(end_ms, last.end_ms))
            else:
                if self._mid_answer and self._interrupted:
                    self._kept.clear()
                    self._kept_samples = self._end_of_voice = 0
                    self._mid_answer = False
                self._stretches.append(Span(arrived_ms, end_ms))
            self.voiced_ms += length_ms
        # Kept from the first voiced frame on; the report gives the wait before it as a figure.
        if self._stretches and self._kept_samples < _MAX_KEPT_S * SOUND_RATE_HZ:
            self._kept.append(samples)
            self._kept_samples += len(samples)
            if voiced:
                self._end_of_voice = self._kept_samples

    @property
    def stretches(self) -> list[Span]:
        """The voiced stretches in order; the last one may still grow.

        They are at least `answer_gap.QUIET_MS` apart, except where an answer was interrupted.
        """
        return list(self._stretches)

    def first_after(self, at_ms: int) -> int | None:
        """Return when the first stretch at or after `at_ms` began; None if there is none."""
        return next((s.start_ms for s in self._stretches if s.start_ms >= at_ms), None)

    def silent_since(self) -> int | None:
        """Return the end of the newest voiced frame; None before the first."""
        return self._stretches[-1].end_ms if self._stretches else None

    def silenced_after(self, at_ms: int) -> int | None:
        """Return how long the voice that sounded at `at_ms` continued; None in silence."""
        return next(
            (s.end_ms - at_ms for s in self._stretches if s.start_ms < at_ms < s.end_ms), None
        )

    def samples(self) -> Samples:
        """Return the sound from the first voiced frame to the end of the last one."""
        if not self._kept:
            return np.zeros(0, np.int16)
        return np.concatenate(self._kept)[: self._end_of_voice]


def write_wav(path: Path, samples: Samples) -> None:
    """Write mono s16 samples at `SOUND_RATE_HZ` as a RIFF/WAVE file.

    Raises:
        OSError: The file can't be written.
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
