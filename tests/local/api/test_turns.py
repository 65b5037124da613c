"""Turn-taking: each event in each state, with time as an argument."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.local.api.turn_states_reached import (
    CALL,
    HELLO,
    MORE_FOLLOWS,
    OTHER_CALL,
    by_name,
    kinds,
    playing_out,
    result,
    speaking,
    streamed,
    thinking,
    typed,
    waiting,
)
from vision_agent.local.api.turn_actions import (
    Action,
    BeginAnswer,
    CancelTools,
    GenerationComplete,
    Interrupted,
    Scheduling,
    SendFunctionCalls,
    Settled,
    StopAnswer,
    Transcribe,
    TurnComplete,
)
from vision_agent.local.api.turn_states import Caller, Floor, ImpossibleEvent
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import FunctionCall, Transcript


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
