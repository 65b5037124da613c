import cv2
import numpy as np

from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.notice_frames import off_jpeg
from vision_agent.local.contract import SeenFrame, Transcript, Turn
from vision_agent.local.engine.answers.notices import camera_is_off, without_notices

FRAME = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()


def turn(*frames: tuple[bytes, int]) -> Turn:
    seen = [SeenFrame(jpeg, at_ms) for jpeg, at_ms in frames]
    return Turn(Transcript("what do you see"), frames=seen, now_ms=10_000)


def test_it_is_a_frame_with_print_on_it():
    pixels = cv2.imdecode(np.frombuffer(off_jpeg("camera"), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels.shape == (360, 640)
    assert 0.01 < (pixels > 128).mean() < 0.2
    LiveQueue().frame(off_jpeg("camera"))  # takes JPEG files only
    assert len(off_jpeg("camera")) < 40_000


def test_the_local_engine_knows_it_and_since_when_it_holds():
    told = without_notices(turn((FRAME, 1000), (off_jpeg("camera"), 4000)))
    assert [frame.jpeg for frame in told.frames] == [FRAME]
    assert told.camera_off_ms == 6000


def test_a_camera_that_is_on_again_is_on():
    told = without_notices(turn((off_jpeg("camera"), 4000), (FRAME, 5000)))
    assert [frame.at_ms for frame in told.frames] == [5000]
    assert told.camera_off_ms is None


def test_ordinary_frames_are_left_alone():
    asked = turn((FRAME, 1000))
    assert without_notices(asked) is asked
    assert without_notices(turn()).camera_off_ms is None


def test_it_is_said_in_seconds():
    assert camera_is_off(300) == "Your camera is off; the last picture is 1 second old."
    assert camera_is_off(61_000) == "Your camera is off; the last picture is 61 seconds old."
