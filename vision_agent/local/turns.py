"""Turn-taking: who has the floor, and what the server has to do about it.

Theory of operation. Two sides talk, each with a state of its own. The *caller* is silent, speaks,
or has stopped and is being transcribed. The *floor* is the model's side: idle, thinking (an answer
is being made and nothing of it is out), speaking (it is coming out), playing out (all of it is
sent, the caller still hears it), or waiting for a tool. What happens is told to `Turns` by its
methods, with the time as an argument; each returns the actions to carry out, in order. Nothing
about these states lives anywhere else.

The tables below are the whole of it. A move that is not in them is a bug and raises `KeyError`.

Order of a turn on the wire: output, ``generationComplete``, then ``turnComplete`` when the caller
has heard it all, so that cutting in still works while the answer is being heard. An interrupted
turn says ``interrupted`` and then ``turnComplete``, and no ``generationComplete`` after either. A
2.5 model ends its turn after a tool call and opens another with the tool's result; a 3.x model
keeps the turn open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from vision_agent.local.contract import Manner


class Floor(Enum):
    """The model's side."""

    IDLE = auto()
    THINKING = auto()
    SPEAKING = auto()
    PLAYING_OUT = auto()
    WAITING_FOR_TOOL = auto()


class Caller(Enum):
    """The caller's side."""

    SILENT = auto()
    SPEAKING = auto()
    TRANSCRIBING = auto()


class Event(Enum):
    """What moves a side from one state to another."""

    PROMPTED = auto()
    SPOKE = auto()
    CALLED = auto()
    TOOL_ANSWERED = auto()
    GENERATED = auto()
    PLAYED_OUT = auto()
    CUT_OFF = auto()
    STARTED = auto()
    STOPPED = auto()
    HEARD = auto()


FLOOR = {
    (Floor.IDLE, Event.PROMPTED): Floor.THINKING,
    (Floor.THINKING, Event.SPOKE): Floor.SPEAKING,
    (Floor.THINKING, Event.CALLED): Floor.WAITING_FOR_TOOL,
    (Floor.THINKING, Event.GENERATED): Floor.PLAYING_OUT,
    (Floor.THINKING, Event.CUT_OFF): Floor.IDLE,
    (Floor.SPEAKING, Event.SPOKE): Floor.SPEAKING,
    (Floor.SPEAKING, Event.CALLED): Floor.WAITING_FOR_TOOL,
    (Floor.SPEAKING, Event.GENERATED): Floor.PLAYING_OUT,
    (Floor.SPEAKING, Event.CUT_OFF): Floor.IDLE,
    (Floor.PLAYING_OUT, Event.PLAYED_OUT): Floor.IDLE,
    (Floor.PLAYING_OUT, Event.CUT_OFF): Floor.IDLE,
    (Floor.WAITING_FOR_TOOL, Event.TOOL_ANSWERED): Floor.THINKING,
    (Floor.WAITING_FOR_TOOL, Event.CUT_OFF): Floor.IDLE,
}

CALLER = {
    (Caller.SILENT, Event.STARTED): Caller.SPEAKING,
    (Caller.SPEAKING, Event.STOPPED): Caller.TRANSCRIBING,
    (Caller.TRANSCRIBING, Event.STARTED): Caller.SPEAKING,
    (Caller.TRANSCRIBING, Event.HEARD): Caller.SILENT,
}

MAX_WAITING_PROMPTS = 8
"""Prompts kept while an answer must not be interrupted; beyond it the oldest one is given up."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to answer.

    Attributes:
        text: What the caller said or typed.
        understood: Whether the hearing is sure of it; true for typed text.
        spoken: Whether it was heard (true) or typed (false).
        manner: How it was said, if it was heard and that was measured.
    """

    text: str
    understood: bool = True
    spoken: bool = False
    manner: Manner | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function the client is asked to run."""

    id: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The caller has stopped: find out what was said, then call `Turns.heard`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Make answer number ``number``; with tool results it goes on with the same prompt."""

    number: int
    prompt: Prompt
    tool_results: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """Stop making the answer, and drop what of it has not been sent."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Tell the client that the caller cut in."""


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """Tell the client that all of the answer is made."""


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """Tell the client that the turn is over."""


@dataclass(frozen=True, slots=True)
class CallTools:
    """Ask the client to run these functions."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class CancelTools:
    """Tell the client that the results of these calls are no longer wanted."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more will be said to this prompt: it and its answer are history now."""

    prompt: Prompt


Action = (
    Transcribe
    | Answer
    | StopAnswer
    | Interrupted
    | GenerationComplete
    | TurnComplete
    | CallTools
    | CancelTools
    | Settled
)


class Turns:
    """The turn-taking of one session.

    Args:
        barge_in: Whether the caller's activity interrupts an answer
            (``START_OF_ACTIVITY_INTERRUPTS``) or waits for its end (``NO_INTERRUPTION``).
        tool_call_ends_turn: Whether ``turnComplete`` follows a tool call at once (2.5).
    """

    def __init__(self, *, barge_in: bool = True, tool_call_ends_turn: bool = True) -> None:
        self.floor = Floor.IDLE
        self.caller = Caller.SILENT
        self._barge_in = barge_in
        self._tool_call_ends_turn = tool_call_ends_turn
        self._number = 0
        self._prompt = Prompt("")
        self._heard_until_ms = 0
        self._to_transcribe = 0
        self._utterances: list[Prompt] = []
        self._waiting: deque[Prompt] = deque(maxlen=MAX_WAITING_PROMPTS)
        self._calls: dict[str, ToolCall] = {}
        self._results: list[Mapping[str, Any]] = []

    @property
    def wake_at_ms(self) -> int | None:
        """When `tick` wants to be called; None while nothing depends on time."""
        return self._heard_until_ms if self.floor is Floor.PLAYING_OUT else None

    def caller_started(self, now_ms: int) -> list[Action]:
        """The caller began to speak (found in the sound, or signalled by the client)."""
        if self.caller is Caller.SPEAKING:
            return []
        self.caller = CALLER[self.caller, Event.STARTED]
        return self._cut_off(now_ms) if self._barge_in else []

    def caller_stopped(self) -> list[Action]:
        """The caller fell silent for long enough, or the client said so."""
        if self.caller is not Caller.SPEAKING:
            return []
        self.caller = CALLER[self.caller, Event.STOPPED]
        self._to_transcribe += 1
        return [Transcribe()]

    def heard(self, prompt: Prompt) -> list[Action]:
        """What was said in the oldest utterance that still had to be transcribed."""
        self._to_transcribe -= 1
        self._utterances.append(prompt)
        if self.caller is Caller.SPEAKING or self._to_transcribe:
            # The caller went on before this was known: it is one thing to answer, not two.
            return []
        self.caller = CALLER[self.caller, Event.HEARD]
        self._waiting.append(_together(self._utterances))
        self._utterances = []
        return self._answer_next()

    def typed(self, text: str, now_ms: int, *, is_activity: bool = False) -> list[Action]:
        """Text to answer.

        Args:
            text: The words.
            now_ms: The time.
            is_activity: Real-time text counts as activity, so ``NO_INTERRUPTION`` holds it back;
                ``clientContent`` always interrupts.
        """
        prompt = Prompt(text)
        if self.floor is not Floor.IDLE and is_activity and not self._barge_in:
            self._waiting.append(prompt)
            return []
        return [*self._cut_off(now_ms), self._answer(prompt)]

    def content_added(self, now_ms: int) -> list[Action]:
        """``clientContent`` that asks for no answer yet: it interrupts all the same."""
        return [*self._cut_off(now_ms), *self._answer_next()]

    def spoke(self, number: int, audio_ms: float, now_ms: int) -> list[Action]:
        """Output of answer ``number`` goes out; it takes ``audio_ms`` to hear."""
        if number == self._number:
            self.floor = FLOOR[self.floor, Event.SPOKE]
            self._heard_until_ms = max(self._heard_until_ms, now_ms) + round(audio_ms)
        return []

    def called(self, number: int, calls: Sequence[ToolCall], now_ms: int) -> list[Action]:
        """Answer ``number`` needs these tools before it can go on."""
        if number != self._number:
            return []
        self.floor = FLOOR[self.floor, Event.CALLED]
        self._calls = {call.id: call for call in calls}
        self._results = []
        actions: list[Action] = [CallTools(tuple(calls))]
        if self._tool_call_ends_turn:
            actions.append(TurnComplete())
        return actions

    def tools_answered(self, results: Sequence[Mapping[str, Any]]) -> list[Action]:
        """Results came: ``id`` (or, where that is empty, ``name``) says for which call.

        Results nobody waits for, as of cancelled calls, are ignored, as the service ignores them.
        """
        for result in results:
            call = self._calls.get(str(result["id"])) or next(
                (
                    call
                    for call in self._calls.values()
                    if not result["id"] and call.name == result["name"]
                ),
                None,
            )
            if call is not None:
                del self._calls[call.id]
                self._results.append({**result, "id": call.id, "name": call.name})
        if self.floor is not Floor.WAITING_FOR_TOOL or self._calls:
            return []
        self.floor = FLOOR[self.floor, Event.TOOL_ANSWERED]
        self._number += 1
        return [Answer(self._number, self._prompt, tuple(self._results))]

    def finished(self, number: int, now_ms: int) -> list[Action]:
        """All of answer ``number`` is made and sent."""
        if number != self._number:
            return []
        self.floor = FLOOR[self.floor, Event.GENERATED]
        return [GenerationComplete(), *self.tick(now_ms)]

    def tick(self, now_ms: int) -> list[Action]:
        """The time is now ``now_ms``: has the caller heard it all?"""
        if self.floor is not Floor.PLAYING_OUT or now_ms < self._heard_until_ms:
            return []
        self.floor = FLOOR[self.floor, Event.PLAYED_OUT]
        return [TurnComplete(), Settled(self._prompt), *self._answer_next()]

    def _cut_off(self, now_ms: int) -> list[Action]:
        if self.floor is Floor.IDLE:
            return []
        actions: list[Action] = []
        waited = self.floor is Floor.WAITING_FOR_TOOL
        if self.floor in (Floor.THINKING, Floor.SPEAKING):
            actions.append(StopAnswer())
        # A 2.5 turn was completed with its tool call: only what is still being heard is left of
        # it to interrupt.
        cuts_in = not (waited and self._tool_call_ends_turn) or now_ms < self._heard_until_ms
        if cuts_in:
            actions.append(Interrupted())
        if waited:
            actions.append(CancelTools(tuple(self._calls)))
        if cuts_in:
            actions.append(TurnComplete())
        self.floor = FLOOR[self.floor, Event.CUT_OFF]
        self._calls = {}
        # Whatever the stopped answer still reports carries the old number.
        self._number += 1
        self._heard_until_ms = now_ms
        return [*actions, Settled(self._prompt)]

    def _answer_next(self) -> list[Action]:
        if self.floor is Floor.IDLE and self.caller is Caller.SILENT and self._waiting:
            return [self._answer(self._waiting.popleft())]
        return []

    def _answer(self, prompt: Prompt) -> Answer:
        self.floor = FLOOR[self.floor, Event.PROMPTED]
        self._number += 1
        self._prompt = prompt
        return Answer(self._number, prompt)


def _together(utterances: Sequence[Prompt]) -> Prompt:
    """One prompt of what was said in a row, before anything of it could be answered.

    An utterance that was understood stands for itself: a cough or half a word in front of it
    would only make it unintelligible.
    """
    said = [utterance for utterance in utterances if utterance.text] or list(utterances[-1:])
    if said[-1].understood:
        return said[-1]
    return Prompt(" ".join(utterance.text for utterance in said), False, True, said[-1].manner)
