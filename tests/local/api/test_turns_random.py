"""Turn-taking with random events of a caller, an engine and a clock."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.local.api.turn_states_reached import (
    by_name,
    result,
)
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
from vision_agent.local.api.turn_states import Caller, Floor
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import FunctionCall, Transcript


class RandomConversation(RuleBasedStateMachine):
    """A state machine: everything a caller, an engine and a clock can do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.ends_turn = True
        self.now_ms = 0
        self.numbers: list[int] = [0]
        self.over: set[int] = {0}
        self.played_until_ms = 0
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.answering: int | None = None
        self.open = False
        self.muted = False
        self.to_transcribe = 0
        self.pending: dict[str, FunctionCall] = {}
        self.background: dict[str, FunctionCall] = {}
        self.owed: list[ToolResult] = []
        self.launched_ids: set[str] = set()
        self.results_given = 0
        self.voiced = False
        self.idle = False
        self.calls_made = 0
        self.opened = self.ended = self.settled = self.prompted = 0

    @initialize(barge_in=st.booleans(), ends_turn=st.booleans())
    def configure(self, barge_in: bool, ends_turn: bool) -> None:
        self.turns = Turns(barge_in=barge_in, tool_call_ends_turn=ends_turn)
        self.ends_turn = ends_turn

    def check(self, actions: list[Action], *, is_news: bool = True) -> None:
        """Check the actions; without news, nothing new may begin after the last turn."""
        self.idle = False
        for action in actions:
            match action:
                case BeginAnswer(number, prompt, results):
                    self.answered.append(prompt.text)
                    assert is_news or not self.idle, "said to be idle, and went on"
                    assert self.answering is None, "two answers at once"
                    assert number not in self.numbers
                    self.numbers.append(number)
                    self.answering = number
                    self.muted = False
                    late = bool(results) and results[0].id in self.launched_ids
                    if late:
                        assert self.turns.caller is Caller.SILENT, "said into the caller's words"
                        for given in results:
                            self.owed.remove(given)
                    if late or not results:
                        assert not self.open, "two turns open"
                        self.prompted += 1
                        self.voiced = False
                    if not self.open:
                        self.opened += 1
                        self.open = True
                case StopAnswer():
                    assert self.answering is not None
                    self.answering = None
                case Interrupted():
                    if not self.open:  # a 2.5 turn that ended with its tool call is still played
                        assert self.ends_turn
                        assert self.pending
                        assert self.now_ms < self.played_until_ms
                        self.opened += 1
                        self.open = True
                    self.muted = True
                    self.played_until_ms = self.now_ms
                case GenerationComplete():
                    assert self.open
                    assert not self.muted
                    self.answering = None
                case TurnComplete(said_nothing, more_follows):
                    assert self.open, "a turn ended twice"
                    if not (self.muted or self.pending):
                        assert self.now_ms >= self.played_until_ms, "over before it was played"
                    if self.pending or self.background or self.owed:
                        assert more_follows
                    self.idle = not more_follows
                    assert said_nothing == (not self.voiced and not self.muted)
                    self.open = False
                    self.ended += 1
                case SendFunctionCalls(calls):
                    assert self.open
                    assert not self.muted
                    for call in calls:
                        if call.id not in self.launched_ids:
                            self.answering = None
                            self.pending[call.id] = call
                case CancelTools(ids):
                    assert set(ids) <= set(self.pending)
                    self.pending = {}
                case Settled():
                    assert not self.open
                    self.settled += 1
                case Noted(given):
                    assert given.scheduling is Scheduling.SILENT
                    self.owed.remove(given)
                case Transcribe():
                    self.to_transcribe += 1

    @rule(ms=st.integers(1, 3000))
    def time_passes(self, ms: int) -> None:
        wake_at_ms = self.turns.wake_at_ms
        self.now_ms += ms
        self.check(self.turns.tick(self.now_ms), is_news=False)
        if wake_at_ms is not None and wake_at_ms <= self.now_ms:
            assert self.ended

    @rule()
    def start(self) -> None:
        self.check(self.turns.caller_started(self.now_ms))

    @rule()
    def stop(self) -> None:
        self.check(self.turns.caller_stopped())

    @rule(understood=st.booleans(), text=st.sampled_from(["", "hello", "stop"]))
    @precondition(lambda self: self.to_transcribe)
    def transcribed(self, understood: bool, text: str) -> None:
        self.to_transcribe -= 1
        self.check(self.turns.transcribed(Transcript(text, understood)))

    @rule(is_activity=st.booleans())
    def type(self, is_activity: bool) -> None:
        self.asked.append(f"question {len(self.asked)}")
        self.check(self.turns.typed(self.asked[-1], self.now_ms, is_activity=is_activity))

    @rule(asks=st.booleans())
    def add_content(self, asks: bool) -> None:
        self.check(self.turns.content_added(self.now_ms, asks=asks))
        if asks:
            assert self.turns.floor is Floor.IDLE
            self.type(is_activity=False)

    @rule(audio_ms=st.integers(0, 2000), data=st.data())
    def speak(self, audio_ms: int, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.reporting()))
        self.turns.spoke(number, audio_ms, self.now_ms)
        if number == self.answering:
            assert not self.muted
            self.voiced = True
            self.played_until_ms = max(self.played_until_ms, self.now_ms) + audio_ms

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.reporting()))
        current = number == self.answering
        if current:
            self.over.add(number)
        actions = self.turns.finished(number, self.now_ms)
        assert bool(actions) == current
        self.check(actions, is_news=False)

    def reporting(self) -> list[int]:
        """The answers that may still report: the current one, and interrupted ones."""
        return [number for number in self.numbers if number not in self.over] or [-1]

    def new_calls(self, count: int) -> list[FunctionCall]:
        self.calls_made += 1
        return [
            FunctionCall(f"{self.calls_made}-{number}", f"tool{number}", {})
            for number in range(count)
        ]

    @rule(count=st.integers(1, 3))
    @precondition(lambda self: self.answering is not None)
    def call(self, count: int) -> None:
        assert self.answering is not None
        self.over.add(self.answering)
        self.voiced = True
        self.check(self.turns.called(self.answering, self.new_calls(count)))

    @rule(count=st.integers(1, 2))
    @precondition(lambda self: self.answering is not None)
    def launch(self, count: int) -> None:
        assert self.answering is not None
        calls = self.new_calls(count)
        self.launched_ids |= {call.id for call in calls}
        self.background |= {call.id: call for call in calls}
        self.voiced = True
        self.check(self.turns.launched(self.answering, calls))

    @rule(data=st.data())
    def a_stopped_answer_calls(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.reporting()))
        if number != self.answering:
            assert self.turns.called(number, self.new_calls(1)) == []
            assert self.turns.launched(number, self.new_calls(1)) == []

    @rule(data=st.data(), named=st.booleans())
    @precondition(lambda self: self.pending)
    def tool_answers(self, data: st.DataObject, named: bool) -> None:
        call = data.draw(st.sampled_from(list(self.pending.values())))
        del self.pending[call.id]
        # A result with only a name may belong to any call of that name, in the background too.
        same_name = [other for other in self.pending.values() if other.name == call.name]
        given = by_name(call) if named and not same_name else result(call)
        self.check(self.turns.tools_answered([given], self.now_ms))

    @rule(schedulings=st.lists(st.sampled_from(Scheduling), min_size=2, max_size=3))
    @precondition(lambda self: len(self.background) > 1)
    def background_answers_together(self, schedulings: list[Scheduling]) -> None:
        given = []
        for call, scheduling in zip(list(self.background.values()), schedulings, strict=False):
            self.results_given += 1
            given.append(
                ToolResult(call.id, call.name, {"number": self.results_given}, scheduling, False)
            )
            del self.background[call.id]
        self.owed += given
        self.check(self.turns.tools_answered(given, self.now_ms))

    @rule(data=st.data(), scheduling=st.sampled_from(Scheduling), more=st.booleans())
    @precondition(lambda self: self.background)
    def background_answers(self, data: st.DataObject, scheduling: Scheduling, more: bool) -> None:
        call = data.draw(st.sampled_from(list(self.background.values())))
        self.give(call, scheduling, more)

    def give(self, call: FunctionCall, scheduling: Scheduling, more: bool) -> None:
        self.results_given += 1
        response = {"number": self.results_given}
        given = ToolResult(call.id, call.name, response, scheduling, more)
        self.owed.append(given)
        if not more:
            del self.background[call.id]
        self.check(self.turns.tools_answered([given], self.now_ms))

    @rule(data=st.data())
    def stale_tool_answers(self, data: st.DataObject) -> None:
        over = self.launched_ids - set(self.background)
        stale = FunctionCall(data.draw(st.sampled_from([*sorted(over), "nobody's"])), "nothing", {})
        assert self.turns.tools_answered([result(stale)], self.now_ms) == []

    @invariant()
    def every_turn_ends_once(self) -> None:
        assert self.opened - self.ended == self.open
        assert (self.turns.floor is Floor.IDLE) == (self.prompted == self.settled)
        if self.turns.floor is Floor.IDLE:
            assert not self.open
            assert self.answering is None
            if self.turns.caller is Caller.SILENT:
                assert not self.owed, "a result was forgotten"

    def teardown(self) -> None:
        """Left alone, everything ends: the caller falls silent, and every prompt is answered."""
        self.check(self.turns.caller_stopped())
        while self.to_transcribe:
            self.transcribed(True, "bye")
        for _ in range(50):
            for call in list(self.pending.values()):
                del self.pending[call.id]
                self.check(self.turns.tools_answered([result(call)], self.now_ms))
            for call in list(self.background.values()):
                self.give(call, Scheduling.WHEN_IDLE, False)
            if self.answering is not None:
                self.over.add(self.answering)
                self.check(self.turns.finished(self.answering, self.now_ms))
            self.now_ms += 100_000
            self.check(self.turns.tick(self.now_ms))
        assert self.turns.floor is Floor.IDLE
        assert self.turns.caller is Caller.SILENT
        assert self.opened == self.ended
        assert self.prompted == self.settled
        assert not self.asked or self.asked[-1] in self.answered


TestRandomConversation = RandomConversation.TestCase

TestRandomConversation.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, derandomize=True
)
