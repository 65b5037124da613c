"""When faults occur, with the time and the connection's messages as arguments."""

from __future__ import annotations

from collections.abc import Iterator

from vision_agent.local.scenarios.faults import ConnectionEvent, ConnectionFaults, FaultPlan
from vision_agent.local.scenarios.scenario import Drop, ExpiredHandle, FaultKind, Refuse, Stall
from vision_agent.local.scenarios.scenario_file import read_scenario

TORN = Drop(1006)


def plan(faults: str, more: str = "") -> FaultPlan:
    return FaultPlan(read_scenario(f"faults: [{faults}]\n{more}"))


def connected(plan: FaultPlan) -> ConnectionFaults:
    faults, refusal = plan.connect()
    assert refusal is None
    return faults


def ready(plan: FaultPlan, now_s: float = 0.0, *, resuming: bool = False) -> ConnectionFaults:
    """A connection that got through its setup with nothing going wrong."""
    faults = connected(plan)
    assert (
        faults.happened([ConnectionEvent.RESUMING if resuming else ConnectionEvent.SETUP], now_s)
        == []
    )
    assert faults.happened([ConnectionEvent.READY], now_s) == []
    return faults


def test_without_conditions_it_strikes_once_the_first_connection_is_set_up() -> None:
    told = plan("{drop: 1006}")
    first = connected(told)
    assert first.happened([ConnectionEvent.SETUP], 0) == []
    assert first.happened([ConnectionEvent.READY], 0) == [TORN]
    assert ready(told).wake_at_s is None


def test_it_waits_for_its_connection_turn_and_piece_of_sound() -> None:
    told = plan("{drop: 1006, at: {connection: 2, turn: 2, audio_chunks: 2}}")
    for faults in (ready(told), ready(told)):
        sound = [ConnectionEvent.OUTPUT, ConnectionEvent.AUDIO]
        assert faults.happened(sound * 3, 0) == []
        assert faults.happened([ConnectionEvent.TURN_COMPLETE], 0) == []
        assert faults.happened(sound, 0) == []
        assert faults.happened(sound, 0) == ([TORN] if faults.number == 2 else [])


def test_its_delay_begins_when_everything_else_has_come_about() -> None:
    told = plan("{drop: 1006, at: {turn: 1, after_s: 3}}")
    faults = ready(told)
    assert faults.wake_at_s is None
    assert faults.happened([ConnectionEvent.OUTPUT], 10) == []
    assert faults.wake_at_s == 13
    assert faults.due(12.9) == []
    assert faults.happened([ConnectionEvent.TURN_COMPLETE], 12.9) == []
    assert faults.due(13) == [TORN]
    assert faults.wake_at_s is None


def test_silence_is_counted_between_turns_and_from_the_last_thing_that_was_said() -> None:
    told = plan("{drop: 1006, at: {silent_s: 3, after_s: 1}}")
    faults = ready(told, 10)
    assert faults.wake_at_s == 13
    assert faults.happened([ConnectionEvent.OUTPUT], 12) == []
    assert faults.wake_at_s is None
    assert faults.due(20) == []
    assert faults.happened([ConnectionEvent.TURN_COMPLETE], 20) == []
    assert faults.due(22.9) == []
    assert faults.wake_at_s == 23
    assert faults.due(23) == []
    assert faults.wake_at_s == 24
    assert faults.due(24) == [TORN]
    assert faults.wake_at_s is None


def test_it_strikes_once_in_a_connection_and_as_often_as_it_may() -> None:
    told = plan("{drop: 1011, times: 2}")
    struck = []
    for _ in range(3):
        faults = connected(told)
        struck.append(
            faults.happened([ConnectionEvent.SETUP, ConnectionEvent.READY], 0) + faults.due(1)
        )
    assert struck == [[Drop(1011)], [Drop(1011)], []]


def test_at_the_setup_means_before_it_is_answered() -> None:
    told = plan("{setup_complete_s: 2}")
    assert connected(told).happened([ConnectionEvent.SETUP], 0) == [Stall(2.0)]
    assert connected(told).happened([ConnectionEvent.SETUP, ConnectionEvent.READY], 0) == []


def test_a_handle_can_expire_only_for_who_brings_one() -> None:
    told = plan("{handle: expired}")
    assert connected(told).happened([ConnectionEvent.SETUP, ConnectionEvent.READY], 0) == []
    assert connected(told).happened([ConnectionEvent.RESUMING], 0) == [ExpiredHandle()]


def test_refused_attempts_are_counted_as_connections() -> None:
    told = plan("{refuse: 503, at: {connection: 2}, times: 2}, {drop: 1006, at: {connection: 4}}")
    refusals = [told.connect()[1] for _ in range(3)]
    assert refusals == [None, Refuse(503), Refuse(503)]
    assert connected(told).happened([ConnectionEvent.SETUP, ConnectionEvent.READY], 0) == [TORN]


def test_go_away_is_followed_by_its_close() -> None:
    told = plan("{go_away_s: 5, code: 1001, reason: Bye., at: {after_s: 1}}")
    faults = ready(told)
    assert len(faults.due(1)) == 1
    assert faults.wake_at_s == 6
    assert faults.due(5.9) == []
    assert faults.due(6) == [Drop(1001, "Bye.")]
    assert faults.wake_at_s is None


def test_one_after_another_as_listed() -> None:
    told = plan("{stall_s: 1}, {drop: 1011}", "every_s: 10")
    faults = ready(told, 100)
    assert faults.wake_at_s == 110
    assert faults.due(109) == []
    assert faults.due(110) == [Stall(1.0)]
    assert faults.wake_at_s == 120
    assert faults.due(120) == [Drop(1011)]
    # The time without a connection counts; after it, the list begins again.
    faults = ready(told, 125)
    assert faults.due(130) == [Stall(1.0)]


def test_an_armed_fault_waits_for_its_sound_and_the_next_one_for_it() -> None:
    told = plan("{drop: 1011, at: {audio_chunks: 2}}, {stall_s: 1}", "every_s: 10")
    faults = ready(told)
    sound = [ConnectionEvent.OUTPUT, ConnectionEvent.AUDIO]
    assert faults.happened(sound * 5 + [ConnectionEvent.TURN_COMPLETE], 5) == []
    assert faults.due(10) == []
    assert faults.wake_at_s is None
    assert faults.happened(sound, 35) == []
    assert faults.happened(sound, 36) == [Drop(1011)]
    assert ready(told, 40).due(46) == [Stall(1.0)]


def test_what_strikes_only_who_connects_tears_the_connection_off_first() -> None:
    told = plan("{refuse: 503, times: 2}, {handle: expired}, {setup_complete_s: 3}", "every_s: 10")
    assert ready(told, 0).happened([], 10) == [TORN]
    assert [told.connect()[1] for _ in range(2)] == [Refuse(503)] * 2
    # The wait begins when a client is connected again.
    faults = ready(told, 20)
    assert faults.due(29) == []
    assert faults.due(30) == [TORN]
    # The client came back without a handle, so none can expire; the fault occurs another time.
    faults = ready(told, 31)
    assert faults.due(39) == []
    assert faults.due(40) == [TORN]
    assert connected(told).happened([ConnectionEvent.RESUMING], 41) == [ExpiredHandle()]
    assert ready(told, 42).due(52) == [TORN]
    assert connected(told).happened([ConnectionEvent.RESUMING], 53) == [Stall(3.0)]


def in_random_order(seed: int) -> Iterator[FaultKind]:
    kinds = ", ".join(f"{{stall_s: {number}}}" for number in range(1, 7))
    faults = ready(plan(kinds, f"every_s: 1\nrandom: true\nseed: {seed}"))
    for second in range(1, 13):
        yield from faults.due(second)


def test_a_random_order_is_the_same_for_the_same_seed_and_leaves_nothing_out() -> None:
    order = list(in_random_order(1))
    assert order == list(in_random_order(1))
    assert order != list(in_random_order(2))
    assert sorted(stall.seconds for stall in order[:6]) == [1, 2, 3, 4, 5, 6]  # type: ignore[union-attr]
    assert sorted(order[6:], key=str) == sorted(order[:6], key=str)
    assert order[6:] != order[:6]
