"""When speech begins and ends: speech probabilities in, events out. No model, no clock, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vision_agent.local.contract import SpeechStarted, SpeechStopped

CHUNK_SAMPLES = 512
"""One Silero chunk: 32 ms at 16 kHz."""

CHUNK_MS = 32


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How readily speech is believed to begin and to end.

    Attributes:
        enter: Probability from which a silent caller's chunk counts as speech.
        sure: The same for what hardly stands out from the noise.
        rise: Probability from which a chunk may be the first of them; a soft beginning is no less
            a beginning.
        leave: Probability below which a speaking caller's chunk counts as silence.
        onset_chunks: How many of these in a row begin speech.
        silence_ms: Silence that ends speech.
    """

    enter: float = 0.5
    leave: float = 0.35
    sure: float = 0.8
    rise: float = 0.2
    onset_chunks: int = 3  # 80 % of 100 ms, in whole chunks
    silence_ms: int = 600

    @classmethod
    def of(
        cls, silence_ms: int, start: str, end: str, prefix_padding_ms: int | None = None
    ) -> Sensitivity:
        """From the setup message's words: "LOW" anywhere in them, otherwise high.

        Low start sensitivity asks for clearer and longer speech; low end sensitivity waits half as
        long again before it believes the silence. ``prefix_padding_ms`` is the speech it takes to
        begin, in whole chunks, whatever the sensitivity.
        """
        slow_start = "LOW" in start
        onset_chunks = 6 if slow_start else 3
        if prefix_padding_ms is not None:
            onset_chunks = max(1, round(prefix_padding_ms / CHUNK_MS))
        return cls(
            enter=0.7 if slow_start else 0.5,
            leave=0.5 if slow_start else 0.35,
            onset_chunks=onset_chunks,
            silence_ms=silence_ms * 3 // 2 if "LOW" in end else silence_ms,
        )


class Endpointer:
    """One caller's speech, chunk by chunk."""

    def __init__(self, sensitivity: Sensitivity) -> None:
        self._sensitivity = sensitivity
        self._recent: deque[tuple[bool, bool]] = deque(maxlen=sensitivity.onset_chunks)
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
            voiced = probability >= (s.enter if clear else s.sure)
            self._recent.append((voiced, voiced or (clear and probability >= s.rise)))
            if len(self._recent) < s.onset_chunks or not voiced:
                return None
            (_, began), *rest = self._recent
            if not began or not all(voiced for voiced, _ in rest):
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

    def reset(self) -> None:
        """The caller is silent as far as we know."""
        self.speaking = False
        self._recent.clear()
