"""Forty seconds of the soak; `make soak` takes ten minutes."""

import pytest

from tests.soak.caller import Exchange
from tests.soak.judge import Fault, Seen, busiest, judge, waits_after_faults
from tests.soak.run import report, soak
from tests.soak.scenario import LETTER_MS
from tests.support.forked_product import ForkedServer
from vision_agent.caller.utterances import Span

SEED = 7
SECONDS = 40


@pytest.mark.timeout(300)
async def test_forty_seconds_of_everything_going_wrong_are_a_conversation(slow_bottle):
    seen, verdict = await soak(
        seconds=SECONDS, seed=SEED, every_s=3, video=slow_bottle, serving=ForkedServer
    )
    print(report(seen, verdict, seed=SEED, seconds=SECONDS))
    assert len(seen.faults) >= 10
    assert verdict.complaints == []
    assert set(verdict.broken) <= verdict.slow


# The judge has to be able to say no.


def exchange(number: int, asked_ms: int, answer: str | None, **more) -> Exchange:
    answers = [answer] if answer else []
    more = {"voiced_ms": LETTER_MS * len(answer or "")} | more
    return Exchange("typed", f"question {number}", asked_ms, asked_ms + 4000, answers, **more)


def seen(*exchanges: Exchange, stretches: list[Span], faults=(), dropped_ms=0.0, **more) -> Seen:
    faults = [Fault(at_ms, connection, what) for at_ms, connection, what in faults]
    return Seen(exchanges, stretches, faults or [Fault(0, 1, "x")], dropped_ms, 1, [], **more)


FIRST = "You said question 1, and before that nothing."
SECOND = "You said question 2, and before that question 1."


def test_a_conversation_without_fault_keeps_every_promise():
    verdict = judge(
        seen(
            exchange(1, 0, FIRST),
            exchange(2, 5000, SECOND),
            stretches=[Span(300, 3000), Span(5300, 8000)],
        )
    )
    assert verdict.broken == []


@pytest.mark.parametrize(
    ("second", "broken"),
    [
        (exchange(2, 5000, None), ["answers missing", "text lost"]),
        (exchange(2, 5000, SECOND, voiced_ms=1700), ["replies cut"]),
        (exchange(2, 5000, SECOND, voiced_ms=3700), ["answers doubled"]),
        (exchange(2, 5000, SECOND, interruptions=1), ["replies cut"]),
        (exchange(2, 5000, FIRST), ["text lost"]),
        (
            exchange(2, 5000, "You said question 2, and before that nothing."),
            ["earlier turns forgotten"],
        ),
    ],
)
def test_what_is_lost_or_doubled_is_seen(second, broken):
    verdict = judge(seen(exchange(1, 0, FIRST), second, stretches=[]))
    assert verdict.broken == broken
    assert verdict.complaints


def test_a_tools_result_has_to_be_the_one_that_the_tool_gave():
    answer = "It is 1001, as you said measure 1."
    tool = Exchange("tool", "measure 1", 0, 4000, [answer], results=[{"reading": 1001}])
    tool.voiced_ms = LETTER_MS * len(answer)
    assert judge(seen(tool, stretches=[])).broken == []
    tool.results.append({"reading": 1002})
    assert judge(seen(tool, stretches=[])).broken == ["tool results lost"]


def test_a_wait_is_counted_from_the_fault_without_what_was_injected():
    lost = (exchange(1, 0, FIRST),)
    drop = (100, 1, "Drop(code=1006, reason='')")
    assert waits_after_faults(seen(*lost, stretches=[Span(1100, 3000)], faults=[drop])) == [1000]
    stall = (200, 1, "Stall(seconds=0.5)")
    waits = waits_after_faults(seen(*lost, stretches=[Span(1100, 3000)], faults=[drop, stall]))
    assert waits == [500, 400]
    in_it = (1500, 1, "Drop(code=1006, reason='')")
    gap = [Span(1100, 1600), Span(2600, 3000)]
    assert waits_after_faults(seen(*lost, stretches=gap, faults=[in_it])) == [1000]


def test_a_storm_of_connections_is_seen():
    assert busiest([Fault(0, 1, ""), Fault(5000, 41, "")]) == 4
    assert busiest([Fault(0, 1, ""), Fault(100_000, 101, "")]) == 1
