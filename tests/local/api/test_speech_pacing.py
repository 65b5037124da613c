"""How far the sound that is sent runs ahead of what is played."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vision_agent.local.api.limits import SERVICE
from vision_agent.local.api.speech_pacing import speech_wait_ms


@pytest.mark.parametrize(
    ("played_until_ms", "wait_ms"), [(0, 0), (5999, 0), (6000, 0), (6250, 250)]
)
def test_sound_waits_when_it_is_a_second_ahead(played_until_ms: float, wait_ms: float) -> None:
    assert speech_wait_ms(SERVICE, played_until_ms, 5000) == wait_ms
    assert speech_wait_ms(replace(SERVICE, audio_ahead_s=None), played_until_ms, 5000) == 0
