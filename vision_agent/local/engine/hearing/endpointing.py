"""When speech begins and ends: speech probabilities in, events out. No model, no clock, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vision_agent.local.contract import HearingOptions, SpeechStarted, SpeechStopped

CHUNK_SAMPLES = 512
"""One Silero chunk: 32 ms at 16 kHz."""

CHUNK_MS = 32

_TOGETHER = 0.8
"""Share of the entry probability that clear chunks must reach on average to begin speech.

Chosen with four voices and sentences that are in no benchmark: the 95th percentile of the onset
delay was 199 ms when every chunk but the first had to be voiced, and is 148 ms with this.
"""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Thresholds for the start and the end of speech.

    Attributes:
        enter: Probability from which a silent caller's chunk counts as speech.
        sure: The same for a chunk that hardly stands out from the noise.
        rise: The same for a chunk between voiced ones, because a soft consonant also begins speech.
        leave: Probability below which a speaking caller's chunk counts as silence.
        onset_chunks: Number of such chunks in a row that begin speech.
        silence_ms: Silence that ends speech.
    """

    enter: float = 0.5
    leave: float = 0.35
    sure: float = 0.8
    rise: float = 0.05
    onset_chunks: int = 3  # 80 % of 100 ms, in whole chunks
    silence_ms: int = 600

    @classmethod
    def of(cls, options: HearingOptions) -> Sensitivity:
        """The thresholds for the options of the setup message.

        Low start sensitivity requires clearer and longer speech; low end sensitivity requires half
        as much silence again. ``prefix_padding_ms`` is the speech required for a start, in whole
        chunks, at any sensitivity.
        """
        slow_start = options.start_sensitivity == "LOW"
        onset_chunks = 6 if slow_start else 3
        if options.prefix_padding_ms is not None:
            onset_chunks = max(1, round(options.prefix_padding_ms / CHUNK_MS))
        slow_end = options.end_sensitivity == "LOW"
        return cls(
            enter=0.7 if slow_start else 0.5,
            leave=0.5 if slow_start else 0.35,
            onset_chunks=onset_chunks,
            silence_ms=options.silence_ms * 3 // 2 if slow_end else options.silence_ms,
        )


class Endpointer:
    """One caller's speech, chunk by chunk."""

    def __init__(self, sensitivity: Sensitivity) -> None:
        self._sensitivity = sensitivity
        self._recent: deque[float] = deque(maxlen=sensitivity.onset_chunks)
        self._enough = _TOGETHER * sensitivity.onset_chunks * sensitivity.enter
        self._last_voiced_end_ms = 0
        self.speaking = False

    def feed(
        self, probability: float, chunk_end_ms: int, *, clear: bool = True
    ) -> SpeechStarted | SpeechStopped | None:
        """Judge one chunk.

        Args:
            probability: That the chunk is speech, 0 to 1.
            chunk_end_ms: The stream time at its end.
            clear: Whether it stands out from the noise.
        """
        s = self._sensitivity
        if not self.speaking:
            self._recent.append(probability)
            if len(self._recent) < s.onset_chunks or not self._begins(probability, clear):
                return None
            self.speaking = True
            self._last_voiced_end_ms = chunk_end_ms
            return SpeechStarted(max(0, chunk_end_ms - s.onset_chunks * CHUNK_MS))
        if probability >= s.leave:
            self._last_voiced_end_ms = chunk_end_ms
            return None
        if chunk_end_ms - self._last_voiced_end_ms < s.silence_ms:
            return None
        self.reset()
        return SpeechStopped(self._last_voiced_end_ms)

    def _begins(self, newest: float, clear: bool) -> bool:
        if not clear:
            return min(self._recent) >= self._sensitivity.sure
        s = self._sensitivity
        together = min(self._recent) >= s.rise and sum(self._recent) >= self._enough
        return together and newest >= s.enter

    def reset(self) -> None:
        """Start again with a silent caller."""
        self.speaking = False
        self._recent.clear()
