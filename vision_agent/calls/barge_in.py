"""Whether the caller is cutting in, before the model says so. Pure: levels and times in.

The model's own `interrupted` decides, but it comes late: its detector waits for enough speech, and
the news has to travel. So the agent falls silent as soon as the caller seems to speak, and waits.
If `interrupted` follows, the rest of the answer is void; if it has not come a while after the
caller fell silent again, it was a cough, and the answer goes on where it stopped. A wrong guess
costs a short pause, and no more.

The caller's microphone may hear the agent's own voice: pages cancel that echo, other callers may
not. So a guess needs three things: a beginning (quiet, then 60 ms of speech), a sound 10 dB above
what that microphone usually hears while the agent speaks, known after a second of it, and no guess
that just proved wrong.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import quantiles

CHUNK_MS = 20
WINDOW_CHUNKS = 5
ONSET_CHUNKS = 3  # of a window that are speech, after one of which this many may be:
CLICK_CHUNKS = 1
ECHO_CHUNKS = 250  # 5 s: an answer's own loud and soft parts, some answers back
ECHO_KNOWN_CHUNKS = 50
# A microphone that hears the agent hears it most of the time; a cough is a small part of 5 s.
ECHO_QUANTILE = 0.8
ABOVE_ECHO = 10.0  # times the power
# What was heard just before the model said `interrupted` was the caller, not an echo.
CALLER_CHUNKS = 50
FIRST_PATIENCE_MS = 1_000  # after a wrong guess; doubled by each further one
LONGEST_PATIENCE_MS = 32_000
LONGEST_HOLD_MS = 2_500  # a sound that goes on and on, and no word of the model's: it is the room


class BargeIn:
    """Guesses, and takes wrong guesses back.

    Args:
        hold_ms: How long after the caller has fallen silent again the model's word is waited for;
            0 never guesses.

    Attributes:
        holding: Whether the agent's voice is held back.
        hold_until_ms: Until when, as things are: it moves as long as the caller goes on.
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

    def heard(self, level: float, loud: bool, speaking: bool, now_ms: float) -> bool:
        """The microphone's next 20 ms.

        Args:
            level: Mean square of the samples.
            loud: Whether it stands out of the room's noise.
            speaking: Whether the agent is speaking; a voice that is held back counts.
            now_ms: The time.

        Returns:
            Whether the agent's voice is to be held back from now on.
        """
        if self.holding:
            if loud:
                self.hold_until_ms = min(now_ms + self._hold_ms, self._hold_ends_ms)
            return False
        if not speaking:
            # Who speaks already when an answer begins is not cutting in.
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
        """The model has had time enough and did not say so: the voice goes on."""
        self.holding = False
        self._recent.clear()
        self._patience_ms = min(
            LONGEST_PATIENCE_MS, 2 * self._patience_ms if self._patience_ms else FIRST_PATIENCE_MS
        )
        self._not_before_ms = now_ms + self._patience_ms

    def interrupted(self) -> None:
        """The model says that the caller cut in."""
        # What was heard before the guess was not the caller; without a guess, who knows.
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
        """How loud a sound must be to be the caller's rather than the agent's own."""
        levels = [*self._echo, *self._unsure]
        if len(levels) < ECHO_KNOWN_CHUNKS:
            return math.inf
        return ABOVE_ECHO * quantiles(levels, n=10)[round(10 * ECHO_QUANTILE) - 1]
