"""The stream's clock, with sound and without."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.api.stream_clock import StreamClock


def test_sound_drives_the_clock_however_fast_it_comes() -> None:
    clock = StreamClock(1000)
    for _ in range(100):
        clock.audio(20, 1000)
    assert clock.at(1000) == 2000


def test_jitter_does_not_move_the_clock() -> None:
    clock = StreamClock(0)
    clock.audio(20, 300)
    assert clock.at(700) == 20


def test_without_sound_the_time_of_day_goes_on() -> None:
    clock = StreamClock(0)
    clock.audio(20, 20)
    assert clock.at(5020) == 5020


def test_a_pause_of_the_microphone_stays_in_the_clock() -> None:
    clock = StreamClock(0)
    clock.audio(20, 20)
    clock.audio(20, 5040)
    assert clock.at(5040) == 5040


@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 2000), st.floats(1, 200)), min_size=1, max_size=50
    )
)
def test_the_clock_never_runs_backwards(steps: list[tuple[bool, float, float]]) -> None:
    clock, now_ms, before = StreamClock(0), 0.0, 0
    for is_audio, wait_ms, duration_ms in steps:
        now_ms += wait_ms
        if is_audio:
            clock.audio(duration_ms, now_ms)
        assert clock.at(now_ms) >= before
        before = clock.at(now_ms)
