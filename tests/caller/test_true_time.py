from fractions import Fraction

import av
import numpy as np

from tests.support.signals import silence, tone
from vision_agent.caller.true_time import in_true_time


def frame(samples: np.ndarray, at_ms: int) -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    made.sample_rate, made.pts, made.time_base = 48_000, at_ms, Fraction(1, 1000)
    return made


def test_sound_that_comes_in_a_burst_is_kept_and_the_silence_after_it_makes_up() -> None:
    quiet, loud = silence(20), tone(20)
    burst = [frame(loud, 100) for _ in range(3)]
    after = [frame(quiet, 120 + 20 * n) for n in range(5)]
    later = [frame(loud, 400)]
    heard = [
        (round(each.time * 1000), bool(each.to_ndarray().any()))
        for each in in_true_time(iter([*burst, *after, *later]))
    ]
    assert heard == [
        (100, True),
        (120, True),
        (140, True),
        # Forty of a hundred ms of silence are left out: the last of it ends on time.
        (160, False),
        (180, False),
        (200, False),
        (400, True),
    ]


def test_sound_on_time_stays_as_it_is() -> None:
    frames = [frame(silence(20), at_ms) for at_ms in (0, 20, 40, 500)]
    assert [round(each.time * 1000) for each in in_true_time(iter(frames))] == [0, 20, 40, 500]
