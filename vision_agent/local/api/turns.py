"""Turn-taking: who has the floor, and what the server has to do about it.

Theory of operation. Two sides talk, each with a state of its own. The *caller* is silent, speaks,
or has stopped and is being transcribed. The *floor* is the model's side: idle, thinking (an answer
is being generated and nothing of it is out), speaking (it is coming out), playing out (all of it is
sent, the caller still plays it), or waiting for a tool. The methods of `Turns` take what happens,
with the time as an argument, and return the actions to carry out, in order.

The tables of `turn_states` hold every move between these states; an event that a state can't take
is a bug and raises `ImpossibleEvent`. What does not fit a table stands in the fields of `Turns` and
in guards of its methods: which answer is the current one, what waits for the floor, which calls are
open.

Order of a turn on the wire: output, ``generationComplete``, then ``turnComplete`` when the caller
has played it all, so that barge-in still works during playback. An interrupted turn says
``interrupted`` and then ``turnComplete``, and no ``generationComplete`` after either. Some models
end their turn with a tool call and open another with the tool's result; others keep it open. Some
cancel the calls that are waited for when the caller cuts in; others make them once more. A model
that thinks for long says a filler in a turn of its own first, which says that more follows.

A call in the background (``NON_BLOCKING``) holds up nobody: its turn ends as if nothing had been
called (or is held open until the result comes, on some models), barge-in does not cancel it, and
its results may come at any time. The ``scheduling`` of
each result says what to do then: answer it as soon as nobody speaks (``WHEN_IDLE``), interrupt the
current answer for it (``INTERRUPT``), or only keep it in the history (``SILENT``). The caller's
words go first, and nothing is said while the caller speaks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vision_agent.local.api.turn_actions import (
    Action,
    BeginAnswer,
    CancelTools,
    GenerationComplete,
    Interrupted,
    Noted,
    Scheduling,
    SendFunctionCalls,
    Settled,
    StopAnswer,
    ToolResult,
    Transcribe,
    TurnComplete,
)
from vision_agent.local.api.turn_states import CALLER, FLOOR, Caller, Event, Floor, after
from vision_agent.local.api.utterances import together
from vision_agent.local.contract import FunctionCall, Transcript

MAX_WAITING_PROMPTS = 8
"""Prompts kept while an answer must not be interrupted; beyond it the oldest one is dropped."""

MAX_BACKGROUND_CALLS = 64
"""Calls in the background that are waited for; beyond it the oldest one is cancelled."""

MAX_WAITING_RESULTS = 32
"""Results of one turn's calls kept until nobody speaks; beyond it the oldest one is dropped."""


@dataclass(slots=True)
class _Background:
    """A call in the background, with the prompt and the turn that it was made for."""

    call: FunctionCall
    prompt: Transcript
    turn: int


@dataclass(slots=True)
class _Results:
    """Results that wait until nobody speaks, of one turn's calls."""

    prompt: Transcript
    results: deque[ToolResult]


class Turns:
    """The turn-taking of one session.

    Args:
        barge_in: Whether the caller's activity interrupts an answer
            (``START_OF_ACTIVITY_INTERRUPTS``) or waits for its end (``NO_INTERRUPTION``).
        tool_call_ends_turn: Whether ``turnComplete`` follows a tool call at once.
        background_call_ends_turn: Whether a turn with a call in the background ends when it has
            been played.
        cancels_calls: Whether calls that are waited for are cancelled when the caller cuts in,
            instead of made once more in the next turn.
        fills: Whether a question gets a filler, in a turn of its own, before its answer.
    """

    def __init__(
        self,
        *,
        barge_in: bool = True,
        tool_call_ends_turn: bool = True,
        background_call_ends_turn: bool = True,
        cancels_calls: bool = True,
        fills: bool = False,
    ) -> None:
        self.floor = Floor.IDLE
        self.caller = Caller.SILENT
        self._barge_in = barge_in
        self._tool_call_ends_turn = tool_call_ends_turn
        self._background_call_ends_turn = background_call_ends_turn
        self._cancels_calls = cancels_calls
        self._fills = fills
        self._filling = False
        self._number = 0
        self._begun = self._turn = 0
        self._prompt = Transcript("")
        self._recorded = False
        self._silent = True
        self._played_until_ms = 0
        self._to_transcribe = 0
        self._utterances: list[Transcript] = []
        self._waiting: deque[Transcript] = deque(maxlen=MAX_WAITING_PROMPTS)
        self._calls: dict[str, FunctionCall] = {}
        self._results: list[ToolResult] = []
        self._cut_off_calls: tuple[FunctionCall, ...] = ()
        self._background: dict[str, _Background] = {}
        self._to_report: dict[int, _Results] = {}

    @property
    def played_until_ms(self) -> int:
        """When the caller will have played everything that has been put out."""
        return self._played_until_ms

    @property
    def transcripts_due(self) -> int:
        """How many utterances have stopped whose transcripts `transcribed` has not been given."""
        return self._to_transcribe

    @property
    def wake_at_ms(self) -> int | None:
        """When `tick` wants to be called; None while nothing depends on time."""
        return self._played_until_ms if self.floor is Floor.PLAYING_OUT else None

    def caller_started(self, now_ms: int) -> list[Action]:
        """The caller began to speak (found in the sound, or signalled by the client)."""
        if self.caller is Caller.SPEAKING:
            return []
        self.caller = after(CALLER, self.caller, Event.STARTED)
        return self._cut_off(now_ms) if self._barge_in else []

    def caller_stopped(self) -> list[Action]:
        """The caller fell silent for long enough, or the client said so."""
        if self.caller is not Caller.SPEAKING:
            return []
        self.caller = after(CALLER, self.caller, Event.STOPPED)
        self._to_transcribe += 1
        return [Transcribe()]

    def transcribed(self, transcript: Transcript) -> list[Action]:
        """The transcript of the oldest utterance that was due."""
        self._to_transcribe -= 1
        self._utterances.append(transcript)
        if self.caller is Caller.SPEAKING or self._to_transcribe:
            # The caller speaks again already: both utterances are one prompt.
            return []
        self.caller = after(CALLER, self.caller, Event.TRANSCRIBED)
        self._waiting.append(together(self._utterances))
        self._utterances = []
        return self._answer_next()

    def typed(
        self,
        text: str,
        now_ms: int,
        *,
        is_activity: bool = False,
        results: tuple[ToolResult, ...] = (),
        recorded: bool = False,
    ) -> list[Action]:
        """Text to answer.

        Args:
            text: The words.
            now_ms: The time.
            is_activity: Real-time text counts as activity, so ``NO_INTERRUPTION`` holds it back;
                ``clientContent`` always interrupts.
            results: What tools called for it in an earlier session gave back.
            recorded: Whether the text is history already.
        """
        prompt = Transcript(text, spoken=False, streamed=is_activity)
        if self.floor is not Floor.IDLE and is_activity and not self._barge_in:
            self._waiting.append(prompt)
            return []
        return [*self._cut_off(now_ms), self._answer(prompt, results, recorded=recorded)]

    def content_added(self, now_ms: int, *, asks: bool = False) -> list[Action]:
        """``clientContent`` came and interrupts; if it ``asks``, `typed` follows."""
        return [*self._cut_off(now_ms), *([] if asks else self._answer_next())]

    def spoke(self, number: int, audio_ms: float, now_ms: int) -> None:
        """Output of answer ``number`` goes out; it takes ``audio_ms`` to play."""
        if number == self._number:
            self.floor = after(FLOOR, self.floor, Event.SPOKE)
            self._silent = False
            self._played_until_ms = max(self._played_until_ms, now_ms) + round(audio_ms)

    def called(self, number: int, calls: Sequence[FunctionCall]) -> list[Action]:
        """Answer ``number`` needs the results of these tools before it can continue."""
        if number != self._number:
            return []
        self.floor = after(FLOOR, self.floor, Event.CALLED)
        self._silent = False
        self._calls = {call.id: call for call in calls}
        self._results = []
        actions: list[Action] = [SendFunctionCalls(tuple(calls))]
        if self._tool_call_ends_turn:
            actions += [GenerationComplete(), self._complete()]
        return actions

    def launched(self, number: int, calls: Sequence[FunctionCall]) -> list[Action]:
        """Answer ``number`` calls these tools and continues without waiting for them."""
        if number != self._number:
            return []
        self.floor = after(FLOOR, self.floor, Event.LAUNCHED)
        self._silent = False
        for call in calls:
            self._background[call.id] = _Background(call, self._prompt, self._turn)
        actions: list[Action] = [SendFunctionCalls(tuple(calls))]
        if too_many := list(self._background)[:-MAX_BACKGROUND_CALLS]:
            actions.append(CancelTools(tuple(too_many)))
            for call_id in too_many:
                del self._background[call_id]
        return actions

    def tools_answered(
        self, results: Sequence[ToolResult], now_ms: int, *, later: bool = False
    ) -> list[Action]:
        """Results came.

        Results nobody waits for, as of cancelled calls, are ignored, as the service ignores them.

        Args:
            results: The results.
            now_ms: The time.
            later: Whether content that is still to be completed comes first: then the turn ends,
                and the results are answered with that content.
        """
        actions: list[Action] = []
        urgent: int | None = None
        for result in results:
            if call := _called(result, self._calls.values()):
                del self._calls[call.id]
                self._results.append(replace(result, id=call.id, name=call.name))
                continue
            in_background = [background.call for background in self._background.values()]
            if call := _called(result, in_background):
                turn = self._report(replace(result, id=call.id, name=call.name), actions)
                if result.scheduling is Scheduling.INTERRUPT:
                    urgent = turn
        if self.floor is Floor.WAITING_FOR_TOOL and not self._calls:
            self.floor = after(FLOOR, self.floor, Event.TOOL_ANSWERED)
            self._number += 1
            if later:
                self.floor = after(FLOOR, self.floor, Event.GENERATED)
                return [*actions, *self._end_turn()]
            actions.append(
                BeginAnswer(
                    self._number, self._prompt, tuple(self._results), recorded=self._recorded
                )
            )
        if urgent is not None:
            actions += self._cut_off(now_ms)
            if self.caller is Caller.SILENT:
                return [*actions, self._answer_results(urgent)]
        return [*actions, *self._answer_next()]

    def finished(self, number: int, now_ms: int) -> list[Action]:
        """All of answer ``number`` is generated and sent."""
        if number != self._number:
            return []
        self.floor = after(FLOOR, self.floor, Event.GENERATED)
        return [GenerationComplete(), *self.tick(now_ms)]

    def tick(self, now_ms: int) -> list[Action]:
        """Ends the turn if the caller has played all of its sound by ``now_ms``."""
        if self.floor is not Floor.PLAYING_OUT or now_ms < self._played_until_ms:
            return []
        if self._filling:
            self.floor = after(FLOOR, self.floor, Event.PLAYED_OUT)
            return [TurnComplete(more_follows=True), self._begin(self._prompt)]
        waits = any(waiting.turn == self._turn for waiting in self._background.values())
        if waits and not self._background_call_ends_turn:
            self.floor = after(FLOOR, self.floor, Event.HELD)
            return self._answer_next()
        return [*self._end_turn(), *self._answer_next()]

    def _cut_off(self, now_ms: int) -> list[Action]:
        if self.floor is Floor.IDLE:
            return []
        actions: list[Action] = []
        waited = self.floor is Floor.WAITING_FOR_TOOL
        if self.floor in (Floor.THINKING, Floor.SPEAKING):
            actions.append(StopAnswer())
        # A 2.5 turn was completed with its tool call: only sound that still plays can be
        # interrupted.
        cuts_in = not (waited and self._tool_call_ends_turn) or now_ms < self._played_until_ms
        if cuts_in:
            actions.append(Interrupted(max(0, self._played_until_ms - now_ms)))
        if waited and self._cancels_calls:
            actions.append(CancelTools(tuple(self._calls)))
        elif waited:
            self._cut_off_calls = tuple(self._calls.values())
        self._calls = {}
        if cuts_in:
            actions.append(self._complete())
        self.floor = after(FLOOR, self.floor, Event.CUT_OFF)
        # Late reports of the stopped answer carry the old number and are ignored.
        self._number += 1
        self._played_until_ms = now_ms
        return [*actions, self._settled()]

    def _end_turn(self) -> list[Action]:
        self.floor = after(FLOOR, self.floor, Event.PLAYED_OUT)
        return [self._complete(said_nothing=self._silent), self._settled()]

    def _complete(self, *, said_nothing: bool = False) -> TurnComplete:
        waiting = self._calls or self._background or self._waiting or self._to_report
        return TurnComplete(said_nothing, more_follows=bool(waiting))

    def _settled(self) -> Settled:
        return Settled(None if self._recorded else self._prompt)

    def _report(self, result: ToolResult, actions: list[Action]) -> int:
        """Takes a result of a call in the background; gives the turn it was called in."""
        background = self._background[result.id]
        if not result.will_continue:
            del self._background[result.id]
        if result.scheduling is Scheduling.SILENT:
            actions.append(Noted(result))
        else:
            waiting = self._to_report.setdefault(
                background.turn, _Results(background.prompt, deque(maxlen=MAX_WAITING_RESULTS))
            )
            waiting.results.append(result)
        return background.turn

    def _answer_next(self) -> list[Action]:
        if self.floor is Floor.HELD_OPEN:
            held = any(waiting.turn == self._turn for waiting in self._background.values())
            if not held or self._waiting or self._to_report:
                return [*self._end_turn(), *self._answer_next()]
        if self.floor is Floor.IDLE and self.caller is Caller.SILENT:
            if self._waiting:
                return [self._answer(self._waiting.popleft())]
            if self._to_report:
                return [self._answer_results(next(iter(self._to_report)))]
        return []

    def _answer(
        self, prompt: Transcript, results: tuple[ToolResult, ...] = (), *, recorded: bool = False
    ) -> BeginAnswer:
        self._begun += 1
        self._turn = self._begun
        self._recorded = recorded
        fills = bool(self._fills and prompt.text and not (results or self._cut_off_calls))
        return self._begin(prompt, results, is_filler=fills)

    def _answer_results(self, turn: int) -> BeginAnswer:
        waiting = self._to_report.pop(turn)
        # Functions called by this answer belong to the same question.
        self._turn = turn
        self._recorded = True
        return self._begin(waiting.prompt, tuple(waiting.results))

    def _begin(
        self,
        prompt: Transcript,
        results: tuple[ToolResult, ...] = (),
        *,
        is_filler: bool = False,
    ) -> BeginAnswer:
        self.floor = after(FLOOR, self.floor, Event.PROMPTED)
        self._number += 1
        self._prompt = prompt
        self._silent = True
        self._filling = is_filler
        again, self._cut_off_calls = self._cut_off_calls, ()
        return BeginAnswer(self._number, prompt, results, again, is_filler, self._recorded)


def _called(result: ToolResult, calls: Iterable[FunctionCall]) -> FunctionCall | None:
    """The call that a result belongs to."""
    for call in calls:
        if call.id == result.id or (not result.id and call.name == result.name):
            return call
    return None
