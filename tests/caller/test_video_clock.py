from itertools import pairwise

import av
import pytest

from vision_agent.caller import video_clock
from vision_agent.caller.video_clock import CLOCK_HZ, VideoClock


def test_a_frame_is_stamped_with_the_time_since_the_clock_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [100.0]
    monkeypatch.setattr(video_clock.time, "monotonic", lambda: now_s[0])
    clock = VideoClock()
    now_s[0] += 1.5
    frame = clock.stamp(av.VideoFrame(16, 16, "yuv420p"))
    assert frame.pts == 1.5 * CLOCK_HZ
    assert frame.time == 1.5


def test_stamps_grow_even_within_a_tick_of_the_clock() -> None:
    clock, frame = VideoClock(), av.VideoFrame(16, 16, "yuv420p")
    stamps = [clock.stamp(frame).pts for _ in range(100)]
    assert all(later > earlier for earlier, later in pairwise(stamps))
