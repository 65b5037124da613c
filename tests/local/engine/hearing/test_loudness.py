"""Near and clear speech, told by the levels of 32 ms chunks."""

import numpy as np
import pytest

from vision_agent.local.engine.hearing.loudness import LevelGate, dbfs

FAN_RMS = 300.0


def gate_after(levels: list[float]) -> LevelGate:
    gate = LevelGate()
    for rms in levels:
        gate.feed(rms, over_agent=False)
    return gate


def test_silence_and_a_fan_are_idle_as_soon_as_they_are_known() -> None:
    assert gate_after([0.0] * 12).is_idle
    assert not gate_after([FAN_RMS] * 3).is_idle
    assert gate_after([FAN_RMS] * 20).is_idle


def test_a_voice_is_near_also_when_the_call_begins_with_it() -> None:
    gate = gate_after([2000.0] * 3)
    assert gate.is_near
    # It may be a crowd; the gate knows half a second later.
    assert not gate.is_clear


def test_what_is_a_little_louder_than_the_noise_is_near_but_not_clear() -> None:
    dish, voice = gate_after([FAN_RMS] * 50 + [1200.0]), gate_after([FAN_RMS] * 50 + [4000.0])
    assert dish.is_near
    assert not dish.is_clear
    assert voice.is_clear


def test_a_voice_over_a_fan_is_near_and_so_is_the_pause_between_its_syllables() -> None:
    gate = gate_after([FAN_RMS] * 120)
    assert not gate.is_near
    for rms, near in [(2000, True), (FAN_RMS, True), (FAN_RMS, True), (FAN_RMS, False)]:
        gate.feed(rms, over_agent=False)
        assert gate.is_near is near
    assert not gate.is_idle


def test_a_room_full_of_people_is_not_near() -> None:
    # The level of many talkers at once varies by some 3 dB.
    levels = FAN_RMS * 10 ** (np.random.default_rng(1).normal(0, 3, 1000) / 20)
    gate = gate_after(list(levels[:150]))
    near = 0
    for rms in levels[150:]:
        gate.feed(float(rms), over_agent=False)
        near += gate.is_near
    assert near < 20


def test_one_talker_does_not_become_his_own_background() -> None:
    gate = gate_after(([2000.0] * 6 + [150.0] * 3) * 60 + [2000.0])
    assert gate.is_near
    assert gate.background.rms < 200


def test_while_the_agent_is_heard_only_what_is_louder_than_its_echo_is_near() -> None:
    gate = gate_after([20.0] * 100)
    gate.feed(1000, over_agent=True)
    assert not gate.is_near
    gate.feed(1000, over_agent=False)
    assert gate.is_near
    gate.feed(1500, over_agent=True)
    assert gate.is_near


@pytest.mark.parametrize(("rms", "level_db"), [(32768, 0.0), (3276.8, -20.0), (0, -100.0)])
def test_levels_are_relative_to_full_scale(rms: float, level_db: float) -> None:
    assert dbfs(rms) == pytest.approx(level_db)
