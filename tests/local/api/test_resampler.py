"""Sound of any rate in, 16 kHz out."""

from __future__ import annotations

import numpy as np
import pytest

from vision_agent.local.api.resampler import RATES_HZ, Resampler

RATES = [8_000, 11_025, 22_050, 24_000, 44_100, 48_000, 96_000]


def tone(frequency_hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    return 10_000 * np.sin(2 * np.pi * frequency_hz * times)


def resampled(samples: np.ndarray, rate_hz: int, pieces: int = 1) -> np.ndarray:
    resampler = Resampler(rate_hz)
    parts = np.array_split(samples.round().astype("<i2"), pieces)
    pcm = b"".join(resampler.resample(part.tobytes()) for part in parts)
    return np.frombuffer(pcm, "<i2").astype(float)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_stays_the_same_tone_and_loses_no_time(rate_hz: int) -> None:
    made = resampled(tone(1_000, rate_hz), rate_hz)
    assert 16_000 - 64 <= len(made) <= 16_000
    error = made[200:-200] - tone(1_000, 16_000)[200 : len(made) - 200]
    assert np.abs(error).max() < 50


@pytest.mark.parametrize("rate_hz", RATES)
def test_it_does_not_matter_how_the_sound_is_cut(rate_hz: int) -> None:
    samples = np.random.default_rng(1).normal(0, 3_000, 1_500)
    whole = resampled(samples, rate_hz)
    assert np.array_equal(resampled(samples, rate_hz, pieces=7), whole)
    assert np.array_equal(resampled(samples, rate_hz, pieces=1_500), whole)


@pytest.mark.parametrize("rate_hz", [24_000, 44_100, 48_000])
def test_what_16_khz_cannot_hold_is_left_out_not_folded_back(rate_hz: int) -> None:
    made = resampled(tone(10_000, rate_hz), rate_hz)
    assert np.abs(made[200:-200]).max() < 30


def test_loud_sound_is_cut_off_not_wrapped_around() -> None:
    samples = np.where(tone(200, 48_000) > 0, 32_767.0, -32_768.0)
    made = resampled(samples, 48_000)
    assert made.max() == 32_767
    assert made.min() == -32_768
    assert np.all(np.sign(made[200:230]) == np.sign(made[200]))


def test_no_rate_that_is_taken_needs_more_than_a_megabyte_of_filters() -> None:
    for rate_hz in RATES_HZ:
        assert Resampler(rate_hz)._kernel.nbytes < 2**20


def test_a_stream_that_changes_its_rate_uses_the_same_filters_again() -> None:
    assert Resampler(44_100)._kernel is Resampler(44_100)._kernel


@pytest.mark.parametrize("rate_hz", [0, 7_999, 16_001, 191_999, 16_000_999])
def test_another_rate_is_refused_before_anything_is_computed(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="not taken"):
        Resampler(rate_hz)
