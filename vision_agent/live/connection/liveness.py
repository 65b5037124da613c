"""When a model connection has to be left: its announced end, or a silent model. Pure.

Time is an argument, in seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from google.genai import types

from vision_agent.live.errors import ConnectionLeft
from vision_agent.live.turn_status import goes_on

HANDLE_WAIT_S = 2.0
"""How long a connection that is about to end is kept for the last turn's handle: a 2.5 model's
follows the turn, 3.1 sends one about every 1.2 s, 3.8 none after its setup (all as reported)."""

HURRY_S = 10.0
"""In this time before its end, a connection is left in the next pause, whatever was heard."""


class Sign(IntEnum):
    """What a message shows of the model.

    The service also sends messages without content: `{}`, `{"serverContent": {}}`, resumption
    updates, usage, voice activity. A model that will never answer sends them as well.
    """

    NOTHING = 0
    """The service is there; the model may not be."""

    LIFE = 1
    """The model heard the caller, or a turn ends."""

    WORDS = 2
    """The model says, thinks or calls something: it has accepted what it was sent."""

    ANSWER = 3
    """The end of a turn with words that the caller can hear or read: the service works."""


def about_to_end() -> ConnectionLeft:
    """The connection is left before its announced end."""
    return ConnectionLeft("The connection was about to end.", planned=True)


@dataclass(slots=True)
class ModelLiveness:
    """The deadlines of a conversation's connections.

    Args:
        stall_s: How long a model that owes an answer may send nothing.
        thinking_s: How long one may that has said that its answer goes on.
    """

    stall_s: float
    thinking_s: float = 120.0
    _leave_at_s: float | None = None
    _quiet_since_s: float | None = None
    _sign_of_life_at_s: float = 0.0
    _stalls: int = 0
    _saying: bool = False

    def connecting(self) -> None:
        """A new connection is being opened; no end of it is announced."""
        self._leave_at_s = self._quiet_since_s = None
        self._saying = False

    def asked(self, now_s: float) -> None:
        """The model was asked something: it has the whole time to answer."""
        self._sign_of_life_at_s = now_s

    def received(self, message: types.LiveServerMessage, now_s: float) -> Sign:
        """A message has arrived; returns what it shows."""
        sign = self._sign(message)
        if sign is not Sign.NOTHING:
            self._sign_of_life_at_s = now_s
        if sign is Sign.ANSWER:
            self._stalls = 0
        return sign

    def _sign(self, message: types.LiveServerMessage) -> Sign:
        content = message.server_content
        calls = message.tool_call and message.tool_call.function_calls
        cancels = message.tool_call_cancellation and message.tool_call_cancellation.ids
        if content is None:
            return Sign.WORDS if calls else Sign.LIFE if cancels else Sign.NOTHING
        parts = (content.model_turn.parts if content.model_turn else None) or []
        spoken = _has_text(content.output_transcription)
        audible = any(_is_sound(part) or (_has_text(part) and not part.thought) for part in parts)
        self._saying = self._saying or spoken or audible
        turn_ends = content.interrupted or (content.turn_complete and not goes_on(content))
        if turn_ends and self._saying:
            self._saying = False
            return Sign.ANSWER
        if calls or spoken or audible or any(_has_text(part) for part in parts):
            return Sign.WORDS
        transcripts = (content.input_transcription, content.interim_input_transcription)
        ends = turn_ends or content.turn_complete or content.generation_complete
        return Sign.LIFE if ends or cancels or any(map(_has_text, transcripts)) else Sign.NOTHING

    def end_announced(self, leave_at_s: float) -> None:
        """The service ends the connection soon; by this time it has to be left."""
        self._leave_at_s = leave_at_s

    def deadline_s(self, *, owes: bool, thinks: bool = False) -> float | None:
        """When `overdue` has to be asked.

        Args:
            owes: Whether the model owes an answer.
            thinks: Whether it has said that its answer goes on.

        Returns:
            A time; None if nothing is waited for.
        """
        times = [] if self._leave_at_s is None else [self._leave_at_s]
        if owes or thinks:
            patience_s = self.thinking_s if thinks else self.stall_s
            times.append(self._sign_of_life_at_s + patience_s)
        return min(times, default=None)

    @property
    def ending(self) -> bool:
        """Whether the service has announced the connection's end."""
        return self._leave_at_s is not None

    def leaves(self, now_s: float, *, quiet: bool, idle: bool, covered: bool) -> bool:
        """Whether a connection whose end is announced is to be left now.

        Args:
            now_s: The time.
            quiet: Nobody speaks, no answer is owed and no tool runs.
            idle: And the caller has made no sound that the model may yet answer.
            covered: The newest handle covers the whole conversation.
        """
        if self._leave_at_s is None:
            return False
        if not quiet:
            self._quiet_since_s = None
            return now_s >= self._leave_at_s
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        waited = now_s - self._quiet_since_s >= HANDLE_WAIT_S
        hurry = now_s >= self._leave_at_s - HURRY_S
        return (idle and covered) or (waited and (idle or hurry)) or now_s >= self._leave_at_s

    def overdue(self, now_s: float) -> None:
        """The deadline has passed.

        Returns normally if the model has been asked twice and was silent twice: it has no answer.

        Raises:
            ConnectionLeft: The connection has to be left.
        """
        if self._leave_at_s is not None and now_s >= self._leave_at_s:
            raise about_to_end()
        self._stalls += 1
        if self._stalls == 1:
            raise ConnectionLeft("The model does not answer.", planned=False, kind="silent")
        self._stalls = 0


def _has_text(words: types.Part | types.Transcription | None) -> bool:
    return bool(words and words.text and words.text.strip())


def _is_sound(part: types.Part) -> bool:
    return bool(part.inline_data and part.inline_data.data)
