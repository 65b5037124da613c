import pytest

from vision_agent.calls.video_presence import LONGEST_S, OFF_AFTER_S, VideoPresence


def watched(fps: float, seconds: float = 10.0) -> tuple[VideoPresence, float]:
    """A camera that has sent frames for a while, and the time of its last frame."""
    presence = VideoPresence()
    presence.track(True)
    at_s = 0.0
    while at_s < seconds:
        presence.arrived(at_s)
        presence.check(at_s)
        assert presence.on
        at_s += 1 / fps
    return presence, at_s - 1 / fps


def test_a_camera_is_on_with_its_first_frame():
    presence = VideoPresence()
    assert not presence.on
    presence.track(True)
    assert (presence.on, presence.awaited) == (False, True)
    presence.arrived(1.0)
    assert presence.on


@pytest.mark.parametrize("fps", [5, 30])
def test_a_camera_whose_frames_stop_is_off_a_second_later(fps: float):
    presence, last_s = watched(fps)
    presence.check(last_s + OFF_AFTER_S - 0.1)
    assert presence.on
    presence.check(last_s + OFF_AFTER_S + 0.1)
    assert not presence.on
    presence.arrived(last_s + 20)
    assert presence.on


@pytest.mark.parametrize("fps", [0.5, 1, 2])
def test_a_slow_sender_is_waited_for(fps: float):
    presence, last_s = watched(fps, 30)
    presence.check(last_s + 1.9 / fps)
    assert presence.on
    presence.check(last_s + LONGEST_S + 0.1)
    assert not presence.on


def test_a_camera_that_is_switched_off_is_off_at_once_whatever_is_still_on_its_way():
    presence, last_s = watched(30)
    presence.enabled(False)
    assert (presence.on, presence.awaited) == (False, False)
    presence.arrived(last_s + 0.1)
    assert not presence.on
    presence.enabled(True)
    assert not presence.on
    presence.arrived(last_s + 0.2)
    assert presence.on


def test_a_camera_whose_track_ends_is_off_and_a_new_track_is_not():
    presence, _ = watched(30)
    presence.enabled(False)
    presence.track(False)
    assert not presence.awaited
    presence.track(True)
    presence.arrived(20)
    assert presence.on


def test_saying_again_what_is_known_changes_nothing():
    presence, _ = watched(30)
    presence.enabled(True)
    assert presence.on
