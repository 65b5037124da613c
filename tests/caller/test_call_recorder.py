import wave
from pathlib import Path

import numpy as np
import pytest

from tests.support.signals import loud
from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.recording import SOUND_RATE_HZ


def test_both_sides_are_recorded_in_the_calls_own_time(tmp_path: Path) -> None:
    recorder = CallRecorder(tmp_path / "call.wav")
    for n in range(1, 151):
        recorder.caller(loud(960), n * 20)
    # The agent's voice comes from 2 s on only, and a packet of it is lost.
    for n in [*range(101, 120), *range(121, 151)]:
        recorder.agent(loud(960), n * 20 + n % 3)
    recorder.close()
    with wave.open(str(tmp_path / "call.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert len(samples) == 3 * SOUND_RATE_HZ
    assert samples[:, 0].all()
    assert np.flatnonzero(samples[:, 1])[0] / SOUND_RATE_HZ == pytest.approx(2, abs=0.1)
