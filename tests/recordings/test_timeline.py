"""Packets are placed at the time they were sent, whatever the network and the clocks do."""

import random
from itertools import pairwise

import pytest

from vision_agent.recordings.timeline import Timeline

HZ = 48_000


def placed(packets: list[tuple[float, float]], **options: bool) -> list[tuple[float, int]]:
    """The times at which packets, given as (media time, arrival) in seconds, are placed.

    Each comes with its packet's number; packets that still wait at the end are released.
    """
    timeline: Timeline[int] = Timeline(HZ, **options)
    found = []
    for n, (media_s, arrived_s) in enumerate(packets):
        found += timeline.expire(arrived_s)
        found += timeline.add(round(media_s * HZ), arrived_s, n)
    return found + timeline.end()


def spoken(count: int, *, media_s: float = 0.0, at_s: float = 0.0) -> list[tuple[float, float]]:
    return [(media_s + n / 50, at_s + n / 50) for n in range(count)]


def test_a_steady_sender_is_placed_where_it_arrives():
    found = placed(spoken(100, media_s=777.0, at_s=3.0))
    assert [n for _, n in found] == list(range(100))
    assert [at for at, _ in found] == pytest.approx([3 + n / 50 for n in range(100)], abs=1e-3)


def test_jitter_changes_no_distance():
    chance = random.Random(1)
    packets = [(media, at + chance.uniform(0, 0.1)) for media, at in spoken(500)]
    times = [at for at, _ in placed(packets)]
    assert [b - a for a, b in pairwise(times)] == pytest.approx([0.02] * 499, abs=0.003)
    assert times[-1] == pytest.approx(packets[-1][0], abs=0.03)


def test_what_the_network_held_up_is_placed_where_it_was_said():
    # Nothing arrives for two seconds, and then everything at once.
    packets = [(media, max(at, 4.0) if 2.0 < at < 4.0 else at) for media, at in spoken(300)]
    times = [at for at, _ in placed(packets)]
    assert times == pytest.approx([n / 50 for n in range(300)], abs=0.01)


@pytest.mark.parametrize("jump_s", [-100.0, -3.0, 0.0, 3.0, 80_000.0])
def test_what_a_paused_or_restarted_sender_says_is_placed_where_it_arrives(jump_s):
    # A pause of five seconds, over which the timestamps may jump.
    after = spoken(100, media_s=2.0 + jump_s, at_s=7.0)
    times = [at for at, _ in placed(spoken(100) + after)]
    assert times[100:] == pytest.approx([7 + n / 50 for n in range(100)], abs=0.01)


def test_silence_that_is_not_sent_is_a_gap():
    packets = [each for each in spoken(500) if not 2 < each[0] < 6]
    times = [at for at, _ in placed(packets)]
    assert times == pytest.approx([media for media, _ in packets], abs=0.01)


@pytest.mark.parametrize("ppm", [-300, 300])
def test_a_clock_that_drifts_is_followed(ppm):
    packets = [(media * (1 + ppm / 1e6), at) for media, at in spoken(50 * 600)]
    times = [at for at, _ in placed(packets)]
    assert times[-1] == pytest.approx(packets[-1][1], abs=0.03)
    assert all(0.0 <= b - a < 0.05 for a, b in pairwise(times))


def test_a_first_packet_that_was_late_moves_nothing():
    packets = spoken(100)
    packets[0] = (0.0, 0.15)
    packets[1] = (0.02, 0.151)
    assert [at for at, _ in placed(packets)][50] == pytest.approx(1.0, abs=0.01)


def test_what_the_set_up_of_a_call_held_up_was_sent_before_the_recording_began():
    # Half a second of sound that arrives at once, and then what follows on time.
    packets = [(media, max(0.0, at - 0.5)) for media, at in spoken(100)]
    times = [at for at, _ in placed(packets)]
    assert times == pytest.approx([n / 50 - 0.5 for n in range(100)], abs=0.01)


def test_frames_that_are_shown_in_another_order_keep_their_times():
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    packets = [(shown / 30, 1 + n / 30) for n, shown in enumerate(order)]
    times = [at for at, _ in placed(packets, reorders=True)]
    assert [b - a for a, b in pairwise(times)] == pytest.approx(
        [(b - a) / 30 for a, b in pairwise(order)], abs=0.003
    )


def test_hostile_timestamps_lead_nowhere():
    chance = random.Random(7)
    packets = [(chance.uniform(-90_000, 90_000), n / 50) for n in range(2_000)]
    found = placed(packets)
    assert [n for _, n in found] == list(range(2_000))
    for at, n in found:
        assert at <= packets[n][1] + 0.26
    assert all(a <= b for (a, _), (b, _) in pairwise(found))
