"""When to reconnect, with the time as an argument."""

import random

from vision_agent.live.connection.backoff import LONGEST_S, Backoff


def connects(lives_s: float, *, until_s: float, useful: bool = False) -> list[float]:
    """When a client connects to a server that drops each connection after this long."""
    backoff, now_s, times = Backoff(budget_s=1e9, rng=random.Random(1)), 0.0, []
    while now_s < until_s:
        times.append(now_s)
        backoff.connected(now_s)
        if useful:
            backoff.useful()
        now_s += lives_s
        delay_s = backoff.failed(now_s)
        assert delay_s is not None
        now_s += delay_s
    return times


def busiest(times: list[float], window_s: float) -> int:
    return max(sum(start <= t < start + window_s for t in times) for start in times)


def test_the_first_try_after_a_good_connection_is_at_once():
    backoff = Backoff(60)
    backoff.connected(0)
    assert backoff.failed(600) == 0


def test_the_delays_grow_to_a_bound_and_are_never_the_same_for_two_callers():
    delays = []
    for seed in (1, 2):
        backoff = Backoff(1e9, random.Random(seed))
        delays.append([backoff.failed(float(i)) for i in range(12)])
    one, other = delays
    assert one[0] == 0
    assert one[1:] != other[1:]
    assert one[4] < one[6] < one[8]
    assert LONGEST_S / 2 <= one[-1] <= LONGEST_S


def test_a_server_that_accepts_and_drops_is_not_stormed():
    times = connects(0.0, until_s=120)
    assert busiest(times, 2) <= 8
    assert busiest(times, 10) <= 12
    assert len(times) <= 30


def test_not_even_one_that_says_something_first():
    assert busiest(connects(0.02, until_s=120, useful=True), 10) <= 12
    assert busiest(connects(0.6, until_s=120, useful=True), 10) <= 20


def test_what_stays_away_is_given_up_when_the_budget_is_used_up():
    backoff, now_s = Backoff(budget_s=10), 0.0
    while (delay_s := backoff.failed(now_s)) is not None:
        now_s += delay_s
        assert now_s < 30
    assert now_s >= 10


def test_a_service_that_answers_between_failures_is_never_given_up():
    backoff, now_s = Backoff(budget_s=10), 0.0
    for _ in range(100):
        backoff.connected(now_s)
        backoff.useful()
        delay_s = backoff.failed(now_s + 1)
        assert delay_s is not None
        now_s += 1 + delay_s


def test_a_service_that_takes_its_time_to_fail_on_a_question_is_given_up_too():
    backoff, now_s, tries = Backoff(budget_s=60, rng=random.Random(1)), 0.0, 0
    while True:
        tries += 1
        backoff.connected(now_s)
        now_s += 9
        delay_s = backoff.failed(now_s, owes=True)
        if delay_s is None:
            break
        now_s += delay_s
    assert tries < 9
    assert now_s < 90


def test_a_question_that_is_not_asked_any_more_leaves_its_budget_to_the_next():
    backoff = Backoff(budget_s=10)
    backoff.connected(0)
    assert backoff.failed(10, owes=True) == 0
    backoff.connected(10)
    backoff.given_up()
    assert backoff.failed(300, owes=True) is not None
