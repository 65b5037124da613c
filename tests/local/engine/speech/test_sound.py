"""Rate, level and silence of the voice, with signals whose right answer is known."""

import numpy as np
import pytest

from vision_agent.local.engine.speech.sound import (
    IN_RATE_HZ,
    OUT_RATE_HZ,
    PIECE_SAMPLES,
    Floats,
    Samples,
    SentenceSound,
    gain_for,
    limit,
)
from vision_agent.resampler import Resampler

CEILING = 10 ** (-3 / 20)


def tone(hz: float, seconds: float = 1.0, level: float = 0.5, rate: int = IN_RATE_HZ) -> Floats:
    times = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def as_samples(level: Floats) -> Samples:
    return np.rint(level * 32767).astype(np.int16)


def resampled(signal: Floats, piece: int) -> Floats:
    resampler = Resampler(IN_RATE_HZ, OUT_RATE_HZ, from_format="flt", to_format="flt")
    parts = [resampler.feed(signal[at : at + piece]) for at in range(0, len(signal), piece)]
    return np.frombuffer(b"".join((*parts, resampler.finish())), np.float32)


@pytest.mark.parametrize("hz", [100, 997, 3000, 7000, 10_000])
def test_a_tone_stays_the_same_tone_and_brings_no_others(hz: int) -> None:
    out = resampled(tone(hz, 2.0), 2205)[2400:-2400]
    window = np.kaiser(len(out), 16)
    spectrum = np.abs(np.fft.rfft(out * window))
    frequencies = np.fft.rfftfreq(len(out), 1 / OUT_RATE_HZ)
    peak = int(spectrum.argmax())
    assert frequencies[peak] == pytest.approx(hz, abs=1)
    elsewhere = spectrum[np.abs(frequencies - hz) > 20].max()
    assert 20 * np.log10(elsewhere / spectrum[peak]) < -65
    assert np.abs(out).max() == pytest.approx(0.5, abs=0.005)


def test_the_length_is_kept_but_for_a_little_silence() -> None:
    out = resampled(tone(440, 3.0), 2205)
    assert 0 <= len(out) - 3 * OUT_RATE_HZ < OUT_RATE_HZ // 90
    assert np.abs(out[3 * OUT_RATE_HZ + 60 :]).max(initial=0) < 1e-4


@pytest.mark.parametrize("piece", [1, 7, 147, 1000, 2205, 2206])
def test_pieces_have_no_seams(piece: int) -> None:
    signal = tone(997, 0.3) + tone(5311, 0.3, 0.2)
    np.testing.assert_allclose(resampled(signal, piece), resampled(signal, len(signal)), atol=1e-6)


def test_samples_stay_where_they_are_in_time() -> None:
    out = resampled(tone(50, 0.5), 2205)[: OUT_RATE_HZ // 2]
    np.testing.assert_allclose(out[500:-500], tone(50, 0.5, rate=OUT_RATE_HZ)[500:-500], atol=2e-3)


def test_the_loudest_sound_stays_under_the_ceiling_and_soft_ones_are_untouched() -> None:
    assert np.abs(limit(tone(440, level=20.0))).max() <= CEILING + 1e-6
    soft = tone(440, level=0.5)
    np.testing.assert_array_equal(limit(soft), soft)


@pytest.mark.parametrize("level", [0.02, 0.9])
def test_quiet_and_loud_speakers_come_out_alike(level: float) -> None:
    gain = gain_for([as_samples(tone(440, level=level))])
    assert gain * level == pytest.approx(10 ** (-5.5 / 20), rel=0.02)


def test_the_gain_of_silence_is_one() -> None:
    assert gain_for([]) == gain_for([np.zeros(100, np.int16)]) == 1.0


def test_silence_around_a_sentence_is_cut_and_inside_it_kept() -> None:
    silence = np.zeros(IN_RATE_HZ, np.float32)
    signal = np.concatenate((silence, tone(440, 0.5), silence, tone(440, 0.5), silence))
    sound = SentenceSound(gain=1.0, pause_ms=200)
    pieces = [
        piece
        for at in range(0, len(signal), 2205)
        for piece in sound.feed(as_samples(signal[at : at + 2205]))
    ] + sound.finish()
    assert {len(piece) for piece in pieces[:-1]} == {PIECE_SAMPLES * 2}
    out = np.frombuffer(b"".join(pieces), "<i2")
    assert len(out) / OUT_RATE_HZ == pytest.approx(0.01 + 0.5 + 1.0 + 0.5 + 0.2, abs=0.01)
    assert np.abs(out[: int(0.005 * OUT_RATE_HZ)]).max() < 200
    assert np.abs(out[-int(0.19 * OUT_RATE_HZ) :]).max() < 200
    assert np.abs(out[int(0.02 * OUT_RATE_HZ) : int(0.4 * OUT_RATE_HZ)]).max() > 10_000


def test_a_sentence_without_silence_after_it_gets_its_pause() -> None:
    sound = SentenceSound(gain=1.0, pause_ms=100)
    out = b"".join(sound.feed(as_samples(tone(440, 0.3))) + sound.finish())
    assert len(out) / 2 / OUT_RATE_HZ == pytest.approx(0.4, abs=0.005)


def test_only_silence_gives_nothing() -> None:
    sound = SentenceSound(gain=1.0, pause_ms=200)
    assert sound.feed(np.zeros(5000, np.int16)) + sound.finish() == []
