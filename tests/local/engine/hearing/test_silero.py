import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.local.recordings import spoken
from vision_agent.local.engine.hearing.silero import SileroVoiceActivityDetector


def _threads() -> set[str]:
    return set(os.listdir("/proc/self/task"))


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed in /proc")
def test_it_starts_no_threads() -> None:
    detector, speech = SileroVoiceActivityDetector(), spoken("what-do-you-see")
    # OpenMP starts threads for each thread that computes.
    with ThreadPoolExecutor(1) as thread:
        before = thread.submit(_threads).result()
        chunks = [speech[at : at + 1024] for at in range(0, 32 * 1024, 1024)]
        probabilities = [thread.submit(detector, chunk).result() for chunk in chunks]
        assert thread.submit(_threads).result() == before
    assert max(probabilities) > 0.9
    assert "OMP_THREAD_LIMIT" not in os.environ
