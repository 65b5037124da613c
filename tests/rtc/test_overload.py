"""When a process is overloaded, with time as an argument."""

import logging

from vision_agent.rtc.overload import TIMES, TOLD_EVERY_S, WITHIN_S, Overload


def test_one_hold_up_is_no_overload_and_several_within_seconds_are():
    overload = Overload()
    assert not overload.lasts(0.0)
    for now_s in range(TIMES - 1):
        overload.note(10, float(now_s))
        assert not overload.lasts(now_s)
    overload.note(10, TIMES - 1.0)
    assert overload.lasts(TIMES - 1.0)
    assert overload.lasts(WITHIN_S)
    assert not overload.lasts(WITHIN_S + 0.1)
    assert overload.dropped == 10 * TIMES


def test_drops_that_lie_far_apart_are_no_overload():
    overload = Overload()
    for number in range(10):
        overload.note(1, number * WITHIN_S)
        assert not overload.lasts(number * WITHIN_S)


def test_the_log_says_it_once_a_minute_with_what_to_do(caplog):
    overload = Overload()
    with caplog.at_level(logging.WARNING):
        for tenths in range(10 * int(TOLD_EVERY_S) + 1):
            overload.note(7, tenths / 10)
    assert len(caplog.records) == 2
    assert "7 were dropped. Allow fewer calls at once (--max-calls)" in caplog.text
