import random
from collections.abc import Iterable

import pytest

from vision_agent.rtc.sound_gap import OVER_AFTER_S, SILENT_AFTER_S, SoundGap

CHECK_S = 0.1


def played(
    arrivals: Iterable[float], until_s: float
) -> tuple[list[tuple[float, int]], list[float]]:
    """The silences that were filled in, as (time, ms), and the times at which sound was over."""
    gap, waiting = SoundGap(), sorted(arrivals)
    silences: list[tuple[float, int]] = []
    overs: list[float] = []
    for n in range(round(until_s / CHECK_S) + 1):
        now_s = n * CHECK_S
        while waiting and waiting[0] <= now_s:
            gap.received(waiting.pop(0))
        quiet = gap.check(now_s)
        if quiet.silence_ms:
            silences.append((now_s, quiet.silence_ms))
        if quiet.over:
            overs.append(now_s)
    return silences, overs


def steady(begin_s: float, end_s: float, step_s: float = 0.02) -> list[float]:
    return [begin_s + n * step_s for n in range(round((end_s - begin_s) / step_s))]


def test_a_microphone_that_has_not_begun_is_neither_silent_nor_over():
    assert played([], 5) == ([], [])


def test_sound_that_comes_steadily_is_left_alone():
    assert played(steady(0, 10), 10) == ([], [])


def test_after_the_last_packet_silence_comes_in_real_time_and_then_the_sound_is_over():
    silences, overs = played(steady(0, 2), 10)
    assert silences[0][0] == pytest.approx(2 + SILENT_AFTER_S, abs=0.11)
    assert all(80 <= ms <= 100 for _, ms in silences[1:])
    assert overs == [pytest.approx(2 + OVER_AFTER_S, abs=0.11)]
    filled_s = sum(ms for _, ms in silences) / 1000
    assert OVER_AFTER_S - 0.2 < filled_s <= OVER_AFTER_S


def test_sound_that_comes_back_is_over_once_more_when_it_stops_again():
    _, overs = played(steady(0, 2) + steady(5, 7), 12)
    assert overs == [pytest.approx(3, abs=0.11), pytest.approx(8, abs=0.11)]


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_losses_and_jitter_are_left_alone(loss: float):
    rng = random.Random(1)
    arrivals = [at + rng.uniform(0, 0.1) for at in steady(0, 300) if rng.random() > loss]
    assert played(arrivals, 300) == ([], [])


def test_a_pause_of_dtx_is_silent_and_never_over():
    silences, overs = played(steady(0.05, 30, 0.4), 30)
    assert overs == []
    # Never more than the time that passed: the next packet's timestamp says how much is missing.
    assert 0.5 * 30_000 < sum(ms for _, ms in silences) <= 30_000


def test_a_pause_of_dtx_that_loses_a_packet_is_not_over():
    assert played([at for at in steady(0, 30, 0.4) if round(at / 0.4) % 4], 30)[1] == []
