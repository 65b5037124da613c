"""Sound is converted from one rate to another."""

from __future__ import annotations

import fractions
import random

import av
import numpy as np
import pytest

from tests.rtc.calling import pitch_hz, tone
from vision_agent.local.api.client_messages import RATES_HZ
from vision_agent.resampler import DELAY_S, Resampler


def sine(frequency_hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    return (10_000 * np.sin(2 * np.pi * frequency_hz * times)).round().astype(np.int16)


def resampled(samples: np.ndarray, rate_hz: int, pieces: int = 50) -> np.ndarray:
    resampler = Resampler(rate_hz, 16_000)
    parts = np.array_split(samples, pieces)
    pcm = b"".join([*map(resampler.feed, parts), resampler.finish()])
    return np.frombuffer(pcm, np.int16).astype(float)


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100, 48_000])
def test_what_goes_in_is_out_at_once_however_it_is_cut(rate_hz: int) -> None:
    rng = random.Random(rate_hz)
    sizes = [rng.choice([1, 40, 120, 441, 960, 2880]) for _ in range(300)]
    sound = tone(700, sum(sizes) / rate_hz, rate_hz)
    resampler, out, taken = Resampler(rate_hz, 16_000), b"", 0
    for size in sizes:
        out += resampler.feed(sound[taken : taken + size])
        taken += size
        assert 0 <= taken / rate_hz - len(out) / 2 / 16_000 <= 2 * DELAY_S
    assert pitch_hz(np.frombuffer(out, "<i2")[1000:9000], 16_000) == pytest.approx(700, abs=4)


def test_stereo_becomes_mono() -> None:
    samples = np.stack([tone(700, 0.02, 48_000)] * 2, axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
    frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
    resampler = Resampler(48_000, 16_000, from_layout="stereo")
    assert len(resampler.resample(frame)) == pytest.approx(640, abs=80)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_stays_the_same_tone_and_loses_no_time(rate_hz: int) -> None:
    made = resampled(sine(1_000, rate_hz), rate_hz)
    assert len(made) == pytest.approx(16_000, abs=2)
    error = made[200:-200] - sine(1_000, 16_000)[200 : len(made) - 200]
    assert np.abs(error).max() < 5


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_it_does_not_matter_how_the_sound_is_cut(rate_hz: int) -> None:
    samples = np.random.default_rng(1).normal(0, 3_000, 1_500).astype(np.int16)
    whole = resampled(samples, rate_hz, pieces=1)
    assert np.array_equal(resampled(samples, rate_hz, pieces=7), whole)
    assert np.array_equal(resampled(samples, rate_hz, pieces=1_500), whole)


@pytest.mark.parametrize("rate_hz", [24_000, 44_100, 48_000])
@pytest.mark.parametrize("frequency_hz", [8_200, 8_500, 9_000, 10_000])
def test_what_16_khz_cannot_hold_is_left_out_not_folded_back(
    rate_hz: int, frequency_hz: int
) -> None:
    made = resampled(sine(frequency_hz, rate_hz), rate_hz)
    assert np.abs(made[200:-200]).max() < 15


def test_what_it_can_hold_stays() -> None:
    made = resampled(sine(7_000, 48_000), 48_000)
    assert np.abs(made[200:-200]).max() == pytest.approx(10_000, rel=0.02)


def test_loud_sound_is_cut_off_not_wrapped_around() -> None:
    samples = np.where(sine(200, 48_000) > 0, 32_767, -32_768).astype(np.int16)
    made = resampled(samples, 48_000)
    assert made.max() == 32_767
    assert made.min() == -32_768
    assert np.all(np.sign(made[200:230]) == np.sign(made[200]))
