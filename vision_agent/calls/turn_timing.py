"""Measures how long the caller waits for the agent to begin, and to fall silent. Pure.

Times are seconds of a monotonic clock. Uncertain figures are left out: for example, sound that is
unrelated to a question is not an answer to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Asked = Literal["spoken", "typed"]


@dataclass(slots=True)
class TimedQuestion:
    """A question of the caller.

    Attributes:
        how: How it was asked.
        asked_at_s: When the caller fell silent, or when the text arrived.
        frame_age_s: How much older than `asked_at_s` the model's newest frame is; None without a
            camera.
    """

    how: Asked
    asked_at_s: float
    frame_age_s: float | None = None


@dataclass(slots=True)
class TimedTurn:
    """One answer of the agent.

    Attributes:
        opened_at_s: When the model's first words or sound arrived.
        question: The question; None if the agent speaks unasked.
        sounds_at_s: When its first sound was sent to the caller; None if there is none.
        cut_in_by: How the caller interrupted it; None if unknown.
        cut_in_at_s: When the caller began to interrupt it.
        silent_at_s: When an interrupted answer fell silent; None if it was not interrupted.
        ended_at_s: When it was over: played, shown or interrupted.
    """

    opened_at_s: float
    question: TimedQuestion | None = None
    sounds_at_s: float | None = None
    cut_in_by: Asked | None = None
    cut_in_at_s: float | None = None
    silent_at_s: float | None = None
    ended_at_s: float = 0.0

    @property
    def began_at_s(self) -> float:
        """When the caller's wait for it began."""
        return self.question.asked_at_s if self.question else self.opened_at_s

    @property
    def first_sound_s(self) -> float | None:
        """From the end of the question to the first sound of the answer."""
        if self.question is None or self.sounds_at_s is None:
            return None
        return self.sounds_at_s - self.question.asked_at_s

    @property
    def frame_age_s(self) -> float | None:
        """How much older than the question the newest frame was that the model had seen."""
        return self.question.frame_age_s if self.question else None

    @property
    def interruption_s(self) -> float | None:
        """From the caller's first sound, or their text, to the agent's silence."""
        if self.silent_at_s is None or self.cut_in_at_s is None:
            return None
        return max(0.0, self.silent_at_s - self.cut_in_at_s)


class TurnTiming:
    """Follows a call's turns; whichever method ends one returns it."""

    def __init__(self) -> None:
        self._question: TimedQuestion | None = None
        self._newest: TimedQuestion | None = None
        self._turn: TimedTurn | None = None
        self._sounding = self._whole = False
        self._paused_at_s: float | None = None

    # The caller

    def voice_began(self, at_s: float) -> None:
        """The caller makes a sound: while the agent speaks, they may be cutting in."""
        self._cuts_in("spoken", at_s)

    def asked(self, how: Asked, at_s: float) -> None:
        """The caller has said or typed something."""
        if how == "typed":
            self._cuts_in(how, at_s)
        question = self._newest = TimedQuestion(how, at_s)
        turn = self._turn
        if turn is not None and turn.question is None and at_s <= turn.opened_at_s:
            # The end of speech is noticed late: a fast model has answered by then.
            turn.question = question
        else:
            self._question = question

    def frame_seen(self, captured_at_s: float) -> None:
        """The newest frame that the model has seen of what the last question is about."""
        if self._newest is not None:
            self._newest.frame_age_s = max(0.0, self._newest.asked_at_s - captured_at_s)

    def nothing_came(self) -> None:
        """The question is given up: later words of the agent do not answer it."""
        self._question = None

    # The agent

    def opened(self, now_s: float) -> TimedTurn | None:
        """The model begins an answer."""
        before = self.over(now_s)
        self._turn, self._question = TimedTurn(now_s, self._question), None
        return before

    def sounds(self, now_s: float) -> None:
        """The agent is heard from now on."""
        self._sounding = True
        if self._turn is not None and self._turn.sounds_at_s is None:
            self._turn.sounds_at_s = now_s

    def paused(self, now_s: float) -> None:
        """Playback waits, because the caller seems to cut in."""
        self._paused_at_s = now_s

    def resumed(self) -> None:
        """Playback goes on: the caller did not cut in."""
        self._paused_at_s = None
        if self._turn is not None:
            self._turn.cut_in_by = self._turn.cut_in_at_s = None

    def interrupted(self, now_s: float) -> TimedTurn | None:
        """The model says that the caller has cut in: the answer is over."""
        if self._turn is not None and self._sounding:
            silent_at_s = now_s if self._paused_at_s is None else self._paused_at_s
            self._turn.silent_at_s = silent_at_s
        return self.over(now_s)

    def complete(self, now_s: float, *, sound_waits: bool = False) -> TimedTurn | None:
        """The model has finished its turn, whose sound may still be playing.

        Args:
            now_s: Now.
            sound_waits: Whether some of its sound has yet to be played.
        """
        self._whole = True
        return None if self._sounding or sound_waits else self.over(now_s)

    def silent(self, now_s: float) -> TimedTurn | None:
        """The agent is not heard any more, for now."""
        self._sounding = False
        return self.over(now_s) if self._whole else None

    def over(self, now_s: float) -> TimedTurn | None:
        """The answer, or the whole call, has ended."""
        turn, self._turn = self._turn, None
        self._whole, self._paused_at_s = False, None
        if turn is not None:
            turn.ended_at_s = now_s
        return turn

    def _cuts_in(self, how: Asked, at_s: float) -> None:
        if self._turn is not None and self._sounding:
            self._turn.cut_in_by, self._turn.cut_in_at_s = how, at_s
