"""When a process counts as overloaded, with time as an argument."""

import logging

from vision_agent.rtc.overload import APART_S, TIMES, TOLD_EVERY_S, WITHIN_S, Overload
from vision_agent.rtc.udp_transport import FRESH_S, LATE_S


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


def test_sockets_that_drop_after_one_hold_up_count_once():
    overload = Overload()
    for number in range(10 * TIMES):
        overload.note(10, number * APART_S / 100)
        assert not overload.lasts(number * APART_S / 100)
    assert overload.dropped == 100 * TIMES


def test_a_tenth_more_than_can_be_handled_is_overload():
    overload = Overload()
    every_s = (LATE_S - FRESH_S) / (1 - 1 / 1.1)
    for number in range(TIMES):
        overload.note(1, number * every_s)
    assert overload.lasts((TIMES - 1) * every_s)


def test_drops_that_lie_far_apart_are_no_overload():
    overload = Overload()
    for number in range(10):
        overload.note(1, number * WITHIN_S)
        assert not overload.lasts(number * WITHIN_S)


def test_the_log_says_it_once_a_minute_with_what_to_do(caplog):
    overload = Overload()
    with caplog.at_level(logging.WARNING):
        for now_s in range(int(TOLD_EVERY_S) + TIMES):
            overload.note(7, float(now_s))
    told = [text for text in caplog.messages if "7 were dropped. Allow fewer calls" in text]
    assert len(told) == 2
    assert "(--max-calls)" in told[0]


def test_the_log_does_not_take_one_hold_up_for_too_many_calls(caplog):
    overload = Overload()
    with caplog.at_level(logging.WARNING):
        overload.note(70, 5.0)
        overload.note(70, 5.0 + TOLD_EVERY_S / 2)
    [told] = caplog.messages
    assert "70 were dropped. Something held it up" in told
    assert "--max-calls" not in told
