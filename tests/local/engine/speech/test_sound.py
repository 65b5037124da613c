"""Level and silence of the voice, on signals with known results."""

import numpy as np
import pytest

from vision_agent.local.contract import OUTPUT_RATE_HZ as RATE_HZ
from vision_agent.local.engine.speech.sound import (
    PIECE_SAMPLES,
    Floats,
    SentenceSound,
    gain_for,
    limit,
)

CEILING = 10 ** (-3 / 20)


def tone(hz: float, seconds: float = 1.0, level: float = 0.5, rate: int = RATE_HZ) -> Floats:
    times = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def test_the_loudest_sound_stays_under_the_ceiling_and_soft_ones_are_untouched() -> None:
    assert np.abs(limit(tone(440, level=20.0))).max() <= CEILING + 1e-6
    soft = tone(440, level=0.5)
    np.testing.assert_array_equal(limit(soft), soft)


@pytest.mark.parametrize("level", [0.02, 0.9])
def test_quiet_and_loud_speakers_come_out_alike(level: float) -> None:
    gain = gain_for([tone(440, level=level)])
    assert gain * level == pytest.approx(10 ** (-5.5 / 20), rel=0.02)


def test_the_gain_of_silence_is_one() -> None:
    assert gain_for([]) == gain_for([np.zeros(100, np.float32)]) == 1.0


def test_silence_around_a_sentence_is_cut_and_inside_it_kept() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    signal = np.concatenate((silence, tone(440, 0.5), silence, tone(440, 0.5), silence))
    sound = SentenceSound(gain=1.0, pause_ms=200)
    pieces = [
        piece for at in range(0, len(signal), 2205) for piece in sound.feed(signal[at : at + 2205])
    ] + sound.finish()
    assert {len(piece) for piece in pieces[:-1]} == {PIECE_SAMPLES * 2}
    out = np.frombuffer(b"".join(pieces), "<i2")
    assert len(out) / RATE_HZ == pytest.approx(0.01 + 0.5 + 1.0 + 0.5 + 0.2, abs=0.01)
    assert np.abs(out[: int(0.005 * RATE_HZ)]).max() < 200
    assert np.abs(out[-int(0.19 * RATE_HZ) :]).max() < 200
    assert np.abs(out[int(0.02 * RATE_HZ) : int(0.4 * RATE_HZ)]).max() > 10_000


def test_a_sentence_without_silence_after_it_gets_its_pause() -> None:
    sound = SentenceSound(gain=1.0, pause_ms=100)
    out = b"".join(sound.feed(tone(440, 0.3)) + sound.finish())
    assert len(out) / 2 / RATE_HZ == pytest.approx(0.4, abs=0.005)


def test_only_silence_gives_nothing() -> None:
    sound = SentenceSound(gain=1.0, pause_ms=200)
    assert sound.feed(np.zeros(5000, np.float32)) + sound.finish() == []
