import fractions
import random

import av
import numpy as np
import pytest

from tests.rtc.calling import pitch_hz, tone
from vision_agent.rtc.resampler import DELAY_S, Resampler


def frames(sound: np.ndarray, rate_hz: int, sizes: list[int]) -> list[av.AudioFrame]:
    made, at = [], 0
    for size in sizes:
        frame = av.AudioFrame.from_ndarray(sound[None, at : at + size], "s16", "mono")
        frame.sample_rate, frame.time_base = rate_hz, fractions.Fraction(1, rate_hz)
        made.append(frame)
        at += size
    return made


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100, 48_000])
def test_what_goes_in_is_out_at_once_however_it_is_cut(rate_hz: int):
    rng = random.Random(rate_hz)
    sizes = [rng.choice([1, 40, 120, 441, 960, 2880]) for _ in range(300)]
    pieces = frames(tone(700, sum(sizes) / rate_hz, rate_hz), rate_hz, sizes)
    resampler, out, taken = Resampler(pieces[0], 16_000), b"", 0
    for piece in pieces:
        out += resampler.resample(piece)
        taken += piece.samples
        assert 0 <= taken / rate_hz - len(out) / 2 / 16_000 <= 2 * DELAY_S
    heard = np.frombuffer(out, "<i2")
    assert pitch_hz(heard[1000:9000], 16_000) == pytest.approx(700, abs=4)


def test_stereo_becomes_mono():
    samples = np.stack([tone(700, 0.02, 48_000)] * 2, axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
    frame.sample_rate = 48_000
    assert len(Resampler(frame, 16_000).resample(frame)) == pytest.approx(640, abs=40)
