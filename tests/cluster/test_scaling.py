"""How many workers are started and ended."""

import itertools

from vision_agent.cluster.scaling import (
    CROWDED_AFTER_S,
    IDLE_FOR_S,
    SETTLE_S,
    Change,
    Scaling,
    Seen,
)

numbers = itertools.count()


def seen(calls: int = 0, *, name: str = "", generation: str = "g2", began_s: float = 0.0, **more):
    given = {"ready": True, "draining": False, "capacity": 10, **more}
    return Seen(name or f"w{next(numbers)}", generation, began_s, calls=calls, **given)


def test_the_least_number_is_started_and_a_killed_one_is_replaced():
    scaling = Scaling("g2", 2, 4)
    assert scaling.judge([], 0.0) == Change(start=2)
    assert scaling.judge([seen(), seen(ready=False)], 1.0) == Change()
    assert scaling.judge([seen()], 2.0) == Change(start=1)


def test_the_callers_of_a_lost_worker_come_back_before_it_is_replaced_where_there_is_room():
    scaling = Scaling("g2", 2, 2)
    scaling.lost(4, 10.0)
    assert scaling.judge([seen(6)], 10.5) == Change()
    assert scaling.judge([seen(9)], 12.0) == Change(start=1)  # they are there
    assert scaling.judge([seen(6)], 10.0 + SETTLE_S) == Change(start=1)
    scaling.lost(5, 30.0)
    assert scaling.judge([seen(6)], 30.0) == Change(start=1)  # no room for all of them
    scaling.lost(0, 50.0)
    assert scaling.judge([seen(6, ready=False)], 50.0) == Change(start=1)


def test_another_is_started_before_the_lines_are_taken_and_never_more_than_the_most():
    scaling = Scaling("g2", 1, 3)
    assert scaling.judge([seen(7)], 0.0) == Change()
    assert scaling.judge([seen(8)], 0.0) == Change(start=1)
    assert scaling.judge([seen(10), seen(10), seen(10)], 0.0) == Change()


def test_the_emptiest_ends_when_few_have_called_for_a_minute():
    scaling = Scaling("g2", 1, 3)
    busy, idle = seen(3, name="busy"), seen(1, name="idle")
    assert scaling.judge([busy, idle], 0.0) == Change()
    assert scaling.judge([seen(9), seen(2)], 30.0) == Change()  # a wave: the minute begins again
    assert scaling.judge([busy, idle], 31.0) == Change()
    assert scaling.judge([busy, idle], 31.0 + IDLE_FOR_S) == Change(drain=("idle",))
    ending = seen(1, name="idle", draining=True)
    assert scaling.judge([busy, ending], 200.0) == Change()


def test_a_later_deployment_replaces_workers_as_its_own_become_ready():
    scaling = Scaling("g2", 2, 2)
    old = [seen(3, name="full", generation="g1"), seen(1, name="emptier", generation="g1")]
    assert scaling.judge(old, 0.0) == Change(start=2)
    assert scaling.judge([*old, seen(), seen(ready=False)], 1.0) == Change(drain=("emptier",))
    assert scaling.judge([old[0], seen(), seen()], 2.0) == Change(drain=("full",))


def test_where_no_core_is_free_an_old_worker_makes_room():
    scaling = Scaling("g2", 1, 1)
    old, new = seen(3, name="old", generation="g1"), seen(ready=False, began_s=5.0)
    assert scaling.judge([old, new], 6.0) == Change()
    assert scaling.judge([old, new], 6.0 + CROWDED_AFTER_S) == Change(drain=("old",))


def test_an_earlier_deployment_does_nothing_any_more():
    assert Scaling("g1", 4, 4).judge([seen(generation="g2")], 0.0) == Change()


def test_workers_that_do_not_start_are_tried_at_longer_and_longer_intervals():
    scaling = Scaling("g2", 1, 1)
    pauses = []
    now_s = 0.0
    for _ in range(7):
        scaling.failed(now_s)
        began_s = now_s
        while not scaling.judge([], now_s).start:
            now_s += 0.5
        pauses.append(now_s - began_s)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    scaling.started()
    scaling.failed(now_s)
    assert scaling.judge([], now_s + 1.0).start == 1
