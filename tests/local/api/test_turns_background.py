"""Results of calls in the background, and when they are answered."""

from __future__ import annotations

import pytest

from tests.local.api.turn_states_reached import (
    CALL,
    HELLO,
    MORE_FOLLOWS,
    OTHER_CALL,
    by_name,
    kinds,
    result,
    thinking,
    typed,
)
from vision_agent.local.api.turn_actions import (
    BeginAnswer,
    CancelTools,
    GenerationComplete,
    Interrupted,
    Noted,
    Scheduling,
    SendFunctionCalls,
    Settled,
    TurnComplete,
)
from vision_agent.local.api.turn_states import Floor
from vision_agent.local.api.turns import MAX_BACKGROUND_CALLS, MAX_WAITING_RESULTS, Turns
from vision_agent.local.contract import FunctionCall


def launched(*calls: FunctionCall, **options: bool) -> Turns:
    """A turn that made background calls, and whose second of sound is being played."""
    turns = thinking(**options)
    assert turns.launched(1, calls or [CALL]) == [SendFunctionCalls(calls or (CALL,))]
    turns.spoke(1, 1000, 0)
    assert turns.finished(1, 0) == [GenerationComplete()]
    return turns


def idle_after(*calls: FunctionCall) -> Turns:
    """The same turn once its sound has been played."""
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
    # The question is part of the history already; only the answer is new.
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
    # The caller's own question is answered first as well.
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
    # Results that came meanwhile are answered together; after the last one none is expected.
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
