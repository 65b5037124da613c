"""Suspects a barge-in before the model confirms it. Pure: levels and times in.

The model's `interrupted` decides, but it comes late: its detector waits for enough speech, and the
message has to travel. So playback pauses as soon as the caller seems to speak. If `interrupted`
follows, the rest of the answer is dropped. If it has not come some time after the caller fell
silent, the sound was a cough, and playback resumes where it paused. A wrong suspicion costs a short
pause and nothing else.

The caller's microphone may pick up the agent's own voice: pages cancel that echo, other callers may
not. So a suspicion needs three things: an onset (quiet, then 60 ms of speech); a sound 10 dB above
what this microphone usually picks up while the agent speaks, known after a second of it; and some
time since the last wrong suspicion.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import quantiles

CHUNK_MS = 20
WINDOW_CHUNKS = 5
ONSET_CHUNKS = 3  # speech in a window, after a window with at most
CLICK_CHUNKS = 1
ECHO_CHUNKS = 250  # 5 s: covers the loud and soft parts of the last answers
ECHO_KNOWN_CHUNKS = 50
# A microphone that picks the agent up does so most of the time; a cough is a small part of 5 s.
ECHO_QUANTILE = 0.8
ABOVE_ECHO = 10.0  # times the power
# Sound just before the model said `interrupted` was the caller, not an echo.
CALLER_CHUNKS = 50
FIRST_PATIENCE_MS = 1_000  # after a wrong suspicion; doubled by each further one
LONGEST_PATIENCE_MS = 32_000
LONGEST_HOLD_MS = 2_500  # a longer sound that the model does not confirm is noise of the room


class BargeIn:
    """Suspects barge-ins, and withdraws wrong suspicions.

    Args:
        hold_ms: How long playback stays paused after the caller has fallen silent, waiting for the
            model; 0 never pauses it.

    Attributes:
        holding: Whether playback is paused.
        hold_until_ms: When the pause ends; moves while the caller makes sound.
    """

    def __init__(self, hold_ms: int) -> None:
        self._hold_ms = hold_ms
        self._recent: deque[bool] = deque(maxlen=2 * WINDOW_CHUNKS)
        self._echo: deque[float] = deque(maxlen=ECHO_CHUNKS)
        self._unsure: deque[float] = deque(maxlen=CALLER_CHUNKS)
        self.holding = False
        self.hold_until_ms = 0.0
        self._hold_ends_ms = 0.0
        self._patience_ms = 0
        self._not_before_ms = 0.0

    def feed(self, level: float, loud: bool, speaking: bool, now_ms: float) -> bool:
        """Take the microphone's next 20 ms.

        Args:
            level: Mean square of the samples.
            loud: Whether it stands out of the room's noise.
            speaking: Whether an answer is being played; a paused one counts.
            now_ms: The present.

        Returns:
            Whether to pause playback now.
        """
        if self.holding:
            if loud:
                self.hold_until_ms = min(now_ms + self._hold_ms, self._hold_ends_ms)
            return False
        if not speaking:
            # A caller who already speaks when an answer begins is not cutting in.
            self._recent.clear()
            return False
        self._learn(level)
        self._recent.append(loud and level > self._caller_level())
        if not self._hold_ms or now_ms < self._not_before_ms or not self._begins():
            return False
        self.holding = True
        self.hold_until_ms = now_ms + self._hold_ms
        self._hold_ends_ms = now_ms + max(self._hold_ms, LONGEST_HOLD_MS)
        return True

    def was_nothing(self, now_ms: float) -> None:
        """The model did not confirm the suspicion in time: playback resumes."""
        self.holding = False
        self._recent.clear()
        self._patience_ms = min(
            LONGEST_PATIENCE_MS, 2 * self._patience_ms if self._patience_ms else FIRST_PATIENCE_MS
        )
        self._not_before_ms = now_ms + self._patience_ms

    def interrupted(self) -> None:
        """The model says that the caller cut in."""
        # Sound before a suspicion was not the caller; without a suspicion, it may have been.
        before = list(self._unsure)[: -2 * WINDOW_CHUNKS] if self.holding else []
        self._echo.extend(before)
        self.holding = False
        self._patience_ms = 0
        self._not_before_ms = 0.0
        self._unsure.clear()
        self._recent.clear()

    def _begins(self) -> bool:
        if len(self._recent) < 2 * WINDOW_CHUNKS:
            return False
        recent = list(self._recent)
        before, now = recent[:WINDOW_CHUNKS], recent[WINDOW_CHUNKS:]
        return sum(before) <= CLICK_CHUNKS and sum(now) >= ONSET_CHUNKS

    def _learn(self, level: float) -> None:
        if len(self._unsure) == CALLER_CHUNKS:
            self._echo.append(self._unsure.popleft())
        self._unsure.append(level)

    def _caller_level(self) -> float:
        """The mean square above which a sound is the caller's and not an echo of the agent."""
        levels = [*self._echo, *self._unsure]
        if len(levels) < ECHO_KNOWN_CHUNKS:
            return math.inf
        return ABOVE_ECHO * quantiles(levels, n=10)[round(10 * ECHO_QUANTILE) - 1]
