"""The pace at which an answer's sound is sent."""

from __future__ import annotations

import pytest

from vision_agent.local.api.speech_pacing import speech_wait_ms


@pytest.mark.parametrize(
    ("sent_ms", "elapsed_ms", "wait_ms"), [(0, 0, 0), (4000, 1000, 0), (4000, 900, 100)]
)
def test_sound_waits_when_it_is_faster_than_its_pace(
    sent_ms: float, elapsed_ms: float, wait_ms: float
) -> None:
    assert speech_wait_ms(4.0, sent_ms, elapsed_ms) == wait_ms
