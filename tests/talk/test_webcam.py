import time
from pathlib import Path

import pytest

from vision_agent.talk.webcam import CameraUnavailable, WebcamTrack


async def test_a_camera_gives_frames_with_growing_times_and_ends_with_its_source(
    recordings: Path,
) -> None:
    track = WebcamTrack(str(recordings / "bottle.mp4"))
    began = time.monotonic()
    frames = [await track.recv() for _ in range(4)]
    assert time.monotonic() - began >= 3 / 15 - 0.05
    assert (frames[0].width, frames[0].height, frames[0].format.name) == (640, 360, "yuv420p")
    assert [f.pts for f in frames] == sorted({f.pts for f in frames})
    track.stop()


def test_a_camera_that_is_not_there_is_said_in_words() -> None:
    with pytest.raises(CameraUnavailable, match="--camera none"):
        WebcamTrack(9)
