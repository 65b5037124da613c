import numpy as np
import pytest

from tests.support.signals import loud, silence, tone
from vision_agent.caller.level import VOICED_RMS, rms


def test_the_level_of_silence_and_of_nothing_is_zero() -> None:
    assert rms(silence(20)) == rms(np.zeros(0, np.int16)) == 0


def test_the_level_of_a_sine_is_its_peak_over_the_root_of_two() -> None:
    assert rms(tone(100, level=8000)) == pytest.approx(8000 / 2**0.5, rel=0.01)
    assert rms(loud(960)) == pytest.approx(5000)


def test_coded_silence_is_below_a_voice() -> None:
    assert rms(np.array([3, -3] * 480, np.int16)) < VOICED_RMS < rms(tone(20, level=200))
