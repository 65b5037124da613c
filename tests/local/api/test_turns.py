"""Turn-taking, row by row, and then whatever a random caller can think of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
from vision_agent.local.api.turn_states import Caller, Floor, ImpossibleEvent
from vision_agent.local.api.turns import MAX_BACKGROUND_CALLS, MAX_WAITING_RESULTS, Turns
from vision_agent.local.contract import FunctionCall, Transcript

HELLO = Transcript("hello")
CALL = FunctionCall("c1", "get_time", {})
OTHER_CALL = FunctionCall("c2", "get_weather", {"city": "Graz"})


MORE_FOLLOWS = TurnComplete(more_follows=True)


def result(
    call: FunctionCall, scheduling: Scheduling = Scheduling.WHEN_IDLE, *, more: bool = False
) -> ToolResult:
    return ToolResult(call.id, call.name, {"result": "ok"}, scheduling, more)


def by_name(call: FunctionCall) -> ToolResult:
    return ToolResult("", call.name, {"result": "ok"})


def thinking(**options: bool) -> Turns:
    turns = Turns(**options)
    turns.typed("hello", 0)
    return turns


def speaking(**options: bool) -> Turns:
    turns = thinking(**options)
    turns.spoke(1, 1000, 0)
    return turns


def playing_out(**options: bool) -> Turns:
    turns = speaking(**options)
    turns.finished(1, 0)
    return turns


def waiting(**options: bool) -> Turns:
    turns = thinking(**options)
    turns.called(1, [CALL])
    return turns


def typed(text: str = "hello") -> Transcript:
    return Transcript(text, spoken=False)


def streamed(text: str) -> Transcript:
    return Transcript(text, spoken=False, streamed=True)


def kinds(actions: list[Action]) -> list[type]:
    return [type(action) for action in actions]


def test_a_spoken_turn_from_end_to_end() -> None:
    turns = Turns()
    assert turns.caller_started(0) == []
    assert turns.caller_stopped() == [Transcribe()]
    assert turns.transcribed(HELLO) == [BeginAnswer(1, HELLO)]
    assert turns.floor is Floor.THINKING
    turns.spoke(1, 100, 1000)
    turns.spoke(1, 100, 1001)
    assert turns.finished(1, 1002) == [GenerationComplete()]
    assert turns.wake_at_ms == 1200
    assert turns.tick(1199) == []
    assert turns.tick(1200) == [TurnComplete(), Settled(HELLO)]
    assert (turns.floor, turns.caller, turns.wake_at_ms) == (Floor.IDLE, Caller.SILENT, None)


def test_a_filler_is_a_turn_of_its_own_and_the_answer_another() -> None:
    turns = Turns(fills=True)
    assert turns.typed("hello", 0)[-1] == BeginAnswer(1, typed(), is_filler=True)
    turns.spoke(1, 100, 0)
    assert turns.finished(1, 0) == [GenerationComplete()]
    assert turns.tick(100) == [MORE_FOLLOWS, BeginAnswer(2, typed())]
    turns.called(2, [CALL])
    assert turns.tools_answered([result(CALL)], 100) == [BeginAnswer(3, typed(), (result(CALL),))]
    turns.spoke(3, 100, 100)
    assert turns.finished(3, 200) == [GenerationComplete(), TurnComplete(), Settled(typed())]


def test_nothing_that_was_understood_gets_no_filler() -> None:
    turns = Turns(fills=True)
    turns.caller_started(0)
    turns.caller_stopped()
    assert turns.transcribed(Transcript("", False)) == [BeginAnswer(1, Transcript("", False))]


def test_who_cuts_in_on_a_filler_gets_no_answer_to_the_question() -> None:
    turns = Turns(fills=True)
    turns.typed("hello", 0)
    turns.spoke(1, 100, 0)
    expected = [StopAnswer(), Interrupted(), TurnComplete(), Settled(typed())]
    assert turns.caller_started(50) == expected
    assert turns.tick(100) == []


def test_sound_that_came_with_pauses_is_heard_from_when_it_came() -> None:
    turns = thinking()
    turns.spoke(1, 100, 0)
    turns.spoke(1, 100, 500)
    turns.finished(1, 500)
    assert turns.wake_at_ms == 600


def test_text_is_something_said_although_it_takes_no_time_to_hear() -> None:
    turns = thinking()
    turns.spoke(1, 0, 0)
    assert turns.finished(1, 0) == [GenerationComplete(), TurnComplete(), Settled(typed())]


def test_an_answer_of_nothing_waits_for_more() -> None:
    turns = thinking()
    assert turns.finished(1, 0) == [GenerationComplete(), TurnComplete(True), Settled(typed())]


ENTRANCES: list[tuple[str, Callable[[Turns], list[Action]]]] = [
    ("speech", lambda turns: turns.caller_started(500)),
    ("content", lambda turns: turns.content_added(500)),
    ("typed", lambda turns: turns.typed("stop", 500)),
    ("real-time text", lambda turns: turns.typed("stop", 500, is_activity=True)),
]


@pytest.mark.parametrize("entrance", [entry[1] for entry in ENTRANCES], ids=lambda entry: "")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (thinking, [StopAnswer(), Interrupted(), TurnComplete()]),
        (speaking, [StopAnswer(), Interrupted(), TurnComplete()]),
        (playing_out, [Interrupted(), TurnComplete()]),
    ],
)
def test_whatever_the_caller_does_interrupts(
    state: Callable[[], Turns],
    expected: list[Action],
    entrance: Callable[[Turns], list[Action]],
) -> None:
    turns = state()
    actions = entrance(turns)
    assert actions[: len(expected) + 1] == [*expected, Settled(typed())]
    assert kinds(actions[len(expected) + 1 :]) in ([], [BeginAnswer])


def test_what_a_stopped_answer_still_reports_is_ignored() -> None:
    turns = speaking()
    turns.caller_started(500)
    turns.spoke(1, 100, 501)
    assert turns.called(1, [CALL]) == []
    assert turns.finished(1, 503) == []
    assert turns.floor is Floor.IDLE
    assert turns.wake_at_ms is None


def test_without_interruption_what_was_said_meanwhile_is_answered_afterwards() -> None:
    turns = speaking(barge_in=False)
    assert turns.caller_started(100) == []
    assert turns.caller_stopped() == [Transcribe()]
    assert turns.transcribed(HELLO) == []
    assert turns.typed("and this", 100, is_activity=True) == []
    assert turns.finished(1, 200) == [GenerationComplete()]
    assert turns.tick(1000) == [MORE_FOLLOWS, Settled(typed()), BeginAnswer(2, HELLO)]
    assert turns.finished(2, 1000)[-1] == BeginAnswer(3, streamed("and this"))


def test_client_content_interrupts_even_where_activity_may_not() -> None:
    turns = speaking(barge_in=False)
    assert kinds(turns.typed("stop", 1)) == [
        StopAnswer,
        Interrupted,
        TurnComplete,
        Settled,
        BeginAnswer,
    ]


def test_the_oldest_prompt_is_given_up_when_too_many_wait() -> None:
    turns = speaking(barge_in=False)
    for number in range(20):
        turns.typed(str(number), 0, is_activity=True)
    turns.finished(1, 0)
    assert turns.tick(1000)[-1] == BeginAnswer(2, streamed("12"))


def test_2x_ends_its_turn_with_the_tool_call_and_opens_another_with_the_result() -> None:
    turns = thinking(tool_call_ends_turn=True)
    assert turns.called(1, [CALL]) == [
        SendFunctionCalls((CALL,)),
        GenerationComplete(),
        MORE_FOLLOWS,
    ]
    assert turns.floor is Floor.WAITING_FOR_TOOL
    assert turns.tools_answered([result(CALL)], 0) == [BeginAnswer(2, typed(), (result(CALL),))]
    assert turns.finished(2, 0) == [GenerationComplete(), TurnComplete(), Settled(typed())]


def test_3x_keeps_its_turn_open_over_a_tool_call() -> None:
    turns = thinking(tool_call_ends_turn=False)
    assert turns.called(1, [CALL]) == [SendFunctionCalls((CALL,))]
    assert turns.tools_answered([result(CALL)], 0) == [BeginAnswer(2, typed(), (result(CALL),))]


def test_an_answer_goes_on_when_all_of_its_tools_have_answered() -> None:
    turns = thinking()
    turns.called(1, [CALL, OTHER_CALL])
    assert turns.tools_answered([result(OTHER_CALL)], 0) == []
    assert turns.tools_answered([result(OTHER_CALL)], 0) == []
    [answer] = turns.tools_answered([result(CALL)], 0)
    assert isinstance(answer, BeginAnswer)
    assert answer.tool_results == (result(OTHER_CALL), result(CALL))


def test_a_result_without_an_id_is_matched_by_its_name() -> None:
    turns = thinking()
    turns.called(1, [CALL, OTHER_CALL])
    assert turns.tools_answered([by_name(OTHER_CALL)], 0) == []
    [answer] = turns.tools_answered([by_name(CALL)], 0)
    assert isinstance(answer, BeginAnswer)
    assert answer.tool_results == (result(OTHER_CALL), result(CALL))


@pytest.mark.parametrize("tool_call_ends_turn", [True, False])
def test_speech_cancels_the_tools_that_are_waited_for(tool_call_ends_turn: bool) -> None:
    turns = waiting(tool_call_ends_turn=tool_call_ends_turn)
    cancelled = CancelTools((CALL.id,))
    assert turns.caller_started(1) == (
        [cancelled, Settled(typed())]
        if tool_call_ends_turn
        else [Interrupted(), cancelled, TurnComplete(), Settled(typed())]
    )
    assert turns.tools_answered([result(CALL)], 0) == []
    assert turns.floor is Floor.IDLE


def test_a_call_that_was_cut_off_may_be_made_once_more_instead_of_cancelled() -> None:
    turns = waiting(tool_call_ends_turn=False, cancels_calls=False)
    *ended, answer = turns.typed("stop", 1)
    assert ended == [Interrupted(), TurnComplete(), Settled(typed())]
    assert answer == BeginAnswer(3, typed("stop"), (), calls_again=(CALL,))
    again = FunctionCall("c9", CALL.name, CALL.args)
    assert turns.called(3, [again]) == [SendFunctionCalls((again,))]
    assert turns.tools_answered([result(CALL)], 2) == []
    assert turns.tools_answered([result(again)], 2) == [
        BeginAnswer(4, typed("stop"), (result(again),))
    ]
    turns.finished(4, 2)
    assert turns.typed("hello", 3) == [BeginAnswer(5, typed())]


def test_results_that_come_before_unfinished_content_is_complete_end_the_turn() -> None:
    turns = waiting(tool_call_ends_turn=False)
    assert turns.tools_answered([result(CALL)], 0, later=True) == [TurnComplete(), Settled(typed())]
    assert turns.floor is Floor.IDLE


def test_a_turn_may_be_held_open_until_a_call_in_the_background_has_its_result() -> None:
    turns = thinking(background_call_ends_turn=False)
    turns.launched(1, [CALL])
    turns.spoke(1, 100, 0)
    assert turns.finished(1, 0) == [GenerationComplete()]
    assert turns.tick(100) == []
    assert turns.floor is Floor.HELD_OPEN
    assert turns.wake_at_ms is None
    assert turns.tools_answered([result(CALL)], 200) == [
        MORE_FOLLOWS,
        Settled(typed()),
        BeginAnswer(2, typed(), (result(CALL),)),
    ]


def test_a_result_that_interrupts_ends_the_turn_that_was_held_open_for_it() -> None:
    turns = thinking(background_call_ends_turn=False)
    turns.launched(1, [CALL])
    turns.finished(1, 0)
    urgent = result(CALL, Scheduling.INTERRUPT)
    assert kinds(turns.tools_answered([urgent], 200)) == [
        Interrupted,
        TurnComplete,
        Settled,
        BeginAnswer,
    ]


def test_what_the_caller_says_ends_a_turn_that_is_held_open() -> None:
    for barge_in, expected in ((True, [Interrupted, TurnComplete, Settled]), (False, [])):
        turns = thinking(background_call_ends_turn=False, barge_in=barge_in)
        turns.launched(1, [CALL])
        turns.finished(1, 0)
        assert kinds(turns.caller_started(5)) == expected
        turns.caller_stopped()
        answer = turns.transcribed(HELLO)[-1]
        assert isinstance(answer, BeginAnswer)
        assert answer.prompt == HELLO


def test_2x_interrupts_what_is_still_heard_while_its_tool_runs() -> None:
    turns = speaking(tool_call_ends_turn=True)
    turns.called(1, [CALL])
    assert turns.caller_started(999) == [
        Interrupted(),
        CancelTools((CALL.id,)),
        TurnComplete(),
        Settled(typed()),
    ]


def test_who_goes_on_before_being_transcribed_gets_one_answer_to_all_of_it() -> None:
    turns = Turns()
    turns.caller_started(0)
    turns.caller_stopped()
    turns.caller_started(1)
    assert turns.transcribed(Transcript("what colour", False)) == []
    turns.caller_stopped()
    assert turns.transcribed(Transcript("is that thing", False)) == [
        BeginAnswer(1, Transcript("what colour is that thing", False))
    ]


def test_an_utterance_that_is_understood_stands_for_itself() -> None:
    turns = Turns()
    turns.caller_started(0)
    turns.caller_stopped()
    turns.caller_started(1)
    turns.caller_stopped()
    assert turns.transcribed(Transcript("uh", False)) == []
    assert turns.transcribed(HELLO) == [BeginAnswer(1, HELLO)]


def test_typed_text_is_answered_although_the_caller_seems_to_speak() -> None:
    turns = Turns()
    turns.caller_started(0)
    assert turns.typed("hello", 1) == [BeginAnswer(1, typed())]
    turns.caller_stopped()
    assert turns.transcribed(HELLO) == []
    assert turns.finished(1, 2)[-1] == BeginAnswer(2, HELLO)


def test_a_waiting_question_is_not_answered_into_what_the_caller_is_saying() -> None:
    turns = speaking(barge_in=False)
    turns.typed("waiting", 0, is_activity=True)
    turns.caller_started(0)
    turns.finished(1, 0)
    assert turns.tick(1000) == [MORE_FOLLOWS, Settled(typed())]
    turns.caller_stopped()
    assert turns.transcribed(HELLO) == [BeginAnswer(2, streamed("waiting"))]
    assert turns.finished(2, 1000)[-1] == BeginAnswer(3, HELLO)


def test_starting_twice_and_stopping_twice_is_starting_and_stopping_once() -> None:
    turns = Turns()
    turns.caller_started(0)
    assert turns.caller_started(1) == []
    assert turns.caller_stopped() == [Transcribe()]
    assert turns.caller_stopped() == []


def test_an_event_that_a_state_cannot_take_is_an_error_that_names_both() -> None:
    turns = Turns()
    said = "can't handle event GENERATED when the floor is IDLE"
    with pytest.raises(ImpossibleEvent, match=said):
        turns.finished(0, 0)


def launched(*calls: FunctionCall, **options: bool) -> Turns:
    """A turn that called in the background, said a second of sound, and is being heard."""
    turns = thinking(**options)
    assert turns.launched(1, calls or [CALL]) == [SendFunctionCalls(calls or (CALL,))]
    turns.spoke(1, 1000, 0)
    assert turns.finished(1, 0) == [GenerationComplete()]
    return turns


def idle_after(*calls: FunctionCall) -> Turns:
    """The same when it has been heard."""
    turns = launched(*calls)
    assert turns.tick(1000) == [MORE_FOLLOWS, Settled(typed())]
    return turns


@pytest.mark.parametrize("scheduling", [Scheduling.WHEN_IDLE, Scheduling.INTERRUPT])
def test_a_result_is_answered_at_once_when_nobody_speaks(scheduling: Scheduling) -> None:
    turns = idle_after()
    found = result(CALL, scheduling)
    assert turns.tools_answered([found], 2000) == [BeginAnswer(2, typed(), (found,))]
    turns.spoke(2, 100, 2000)
    turns.finished(2, 2000)
    # The question is history already; only the answer is new.
    assert turns.tick(2100) == [TurnComplete(), Settled(None)]


def test_a_result_for_an_idle_moment_waits_for_the_end_of_what_is_being_said() -> None:
    turns = launched()
    assert turns.tools_answered([result(CALL)], 10) == []
    assert turns.tick(1000) == [
        MORE_FOLLOWS,
        Settled(typed()),
        BeginAnswer(2, typed(), (result(CALL),)),
    ]


def test_a_result_may_interrupt_what_is_being_said() -> None:
    turns = launched()
    found = result(CALL, Scheduling.INTERRUPT)
    assert turns.tools_answered([found], 10) == [
        Interrupted(),
        MORE_FOLLOWS,
        Settled(typed()),
        BeginAnswer(3, typed(), (found,)),
    ]


def test_even_an_urgent_result_is_not_said_into_the_callers_words() -> None:
    turns = idle_after()
    turns.caller_started(2000)
    found = result(CALL, Scheduling.INTERRUPT)
    assert turns.tools_answered([found], 2001) == []
    turns.caller_stopped()
    # The caller's own question comes first, too.
    assert turns.transcribed(HELLO) == [BeginAnswer(2, HELLO)]
    assert turns.finished(2, 2002)[-1] == BeginAnswer(3, typed(), (found,))


def test_a_silent_result_is_known_and_not_answered() -> None:
    for turns in (launched(), idle_after()):
        found = result(CALL, Scheduling.SILENT)
        assert turns.tools_answered([found], 2000)[0] == Noted(found)
        assert turns.floor in (Floor.IDLE, Floor.PLAYING_OUT)


def test_a_call_may_give_back_more_than_once() -> None:
    turns = idle_after()
    first = result(CALL, more=True)
    assert turns.tools_answered([first], 1000) == [BeginAnswer(2, typed(), (first,))]
    assert turns.tools_answered([first], 1000) == []
    assert turns.tools_answered([result(CALL)], 1000) == []
    # What came meanwhile is answered together; after the last one nothing more is expected.
    assert turns.finished(2, 1000)[-1] == BeginAnswer(3, typed(), (first, result(CALL)))
    turns.finished(3, 1000)
    assert turns.tools_answered([result(CALL)], 1000) == []


def test_only_the_newest_results_wait() -> None:
    turns = launched()
    for _ in range(MAX_WAITING_RESULTS + 5):
        turns.tools_answered([result(CALL, more=True)], 0)
    answer = turns.tick(1000)[-1]
    assert isinstance(answer, BeginAnswer)
    assert len(answer.tool_results) == MAX_WAITING_RESULTS


def test_results_that_come_together_are_answered_together() -> None:
    turns = idle_after(CALL, OTHER_CALL)
    both = (by_name(OTHER_CALL), result(CALL))
    assert turns.tools_answered(both, 2000) == [
        BeginAnswer(2, typed(), (result(OTHER_CALL), result(CALL)))
    ]


def test_cutting_in_does_not_cancel_a_call_in_the_background() -> None:
    turns = launched()
    assert turns.caller_started(10) == [Interrupted(), MORE_FOLLOWS, Settled(typed())]
    turns.caller_stopped()
    turns.transcribed(HELLO)
    assert turns.tools_answered([result(CALL)], 20) == []
    assert turns.finished(3, 20)[-1] == BeginAnswer(4, typed(), (result(CALL),))


def test_a_call_in_the_background_ends_no_turn_and_is_something_to_have_said() -> None:
    turns = thinking(tool_call_ends_turn=True)
    assert turns.launched(1, [CALL]) == [SendFunctionCalls((CALL,))]
    assert turns.finished(1, 0) == [GenerationComplete(), MORE_FOLLOWS, Settled(typed())]


def test_an_answer_may_wait_for_one_tool_and_not_for_another() -> None:
    turns = thinking(tool_call_ends_turn=False)
    turns.launched(1, [CALL])
    turns.called(1, [OTHER_CALL])
    assert turns.tools_answered([result(CALL)], 0) == []
    assert turns.tools_answered([result(OTHER_CALL)], 0) == [
        BeginAnswer(2, typed(), (result(OTHER_CALL),))
    ]
    turns.spoke(2, 10, 0)
    turns.finished(2, 0)
    assert turns.tick(10)[-1] == BeginAnswer(3, typed(), (result(CALL),))


def test_too_many_calls_in_the_background_cancel_the_oldest() -> None:
    turns = thinking()
    calls = [FunctionCall(str(number), "tool", {}) for number in range(MAX_BACKGROUND_CALLS + 1)]
    assert turns.launched(1, calls) == [SendFunctionCalls(tuple(calls)), CancelTools(("0",))]
    turns.finished(1, 0)
    assert turns.tools_answered([result(calls[0])], 0) == []
    assert kinds(turns.tools_answered([result(calls[1])], 0)) == [BeginAnswer]


class RandomConversation(RuleBasedStateMachine):
    """Everything a caller, an engine and a clock can do, in any order."""

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
        """Follows what is to be done; without news nothing new may begin once all is said."""
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
                    if not self.open:  # a 2.5 turn that ended with its tool call is still heard
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
                        assert self.now_ms >= self.played_until_ms, "over before it was heard"
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
        """The answers that may still report: the current one, and those that were cut off."""
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
        # A name alone may mean any call of it, also one in the background.
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
        """Left alone, everything ends: the caller is silent, every prompt answered."""
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
