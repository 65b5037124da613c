"""Which packets of a track are recorded, and when a key frame is asked for."""

import struct
from itertools import pairwise
from typing import Any, cast

import pytest

from tests.support.encoding import EncodedFrame, encoded
from vision_agent.calls.recorded_track import RecordedTrack
from vision_agent.recordings.call_recording import CallRecording
from vision_agent.recordings.media_writer import RecordedPacket


class Taken:
    """The packets that a recording is given."""

    over = False

    def __init__(self) -> None:
        self.packets: list[RecordedPacket] = []
        self.has_room = True

    def now_s(self, at_s: float) -> float:
        return at_s

    def media(self, packet: RecordedPacket) -> bool:
        if self.has_room:
            self.packets.append(packet)
        return self.has_room


class Arriving:
    """A recorded track on which thirty frames a second arrive."""

    def __init__(self, codec: str = "VP8") -> None:
        self.taken = Taken()
        self.codec = codec
        self.track = RecordedTrack(cast(CallRecording, self.taken), "camera", 1, on=True)
        self.asked_at_s: list[float] = []
        self._n = 0

    def frame(self, frame: EncodedFrame, *, after_loss: bool = False) -> int:
        """Let one frame arrive; returns how many were recorded so far."""
        now_s = self._n / 30
        ticks, self._n = 3_000 * self._n, self._n + 1
        known: dict[str, Any] = {"key": frame.key, "after_loss": after_loss}
        if self.track.video(self.codec, frame.data, ticks, now_s, **known):
            self.asked_at_s.append(now_s)
        return len(self.taken.packets)


@pytest.fixture(scope="module")
def vp8() -> list[EncodedFrame]:
    return encoded("libvpx", 64, 48, 8, key_every=4)


def test_nothing_is_recorded_between_a_loss_and_the_next_key_frame(vp8):
    assert [frame.key for frame in vp8] == [True, False, False, False] * 2
    camera = Arriving()
    assert camera.frame(vp8[1]) == 0, "it can't be decoded"
    assert [camera.frame(frame) for frame in vp8[:2]] == [1, 2]
    assert camera.frame(vp8[2], after_loss=True) == 2
    assert camera.frame(vp8[3]) == 2
    assert [camera.frame(frame) for frame in vp8[4:6]] == [3, 4]
    assert len(camera.asked_at_s) == 1, "once within 0.4 s"
    assert camera.taken.packets[0].size == (64, 48)


def test_what_is_switched_off_or_has_no_room_ends_at_a_key_frame(vp8):
    camera = Arriving()
    camera.frame(vp8[0])
    camera.track.on = False
    assert camera.frame(vp8[1]) == 1
    camera.track.on = True
    assert camera.frame(vp8[2]) == 1
    assert camera.frame(vp8[4]) == 2
    camera.taken.has_room = False
    camera.frame(vp8[5])
    camera.taken.has_room = True
    assert camera.frame(vp8[6]) == 2
    assert camera.frame(vp8[0]) == 3


def test_a_sender_without_key_frames_is_asked_less_and_less(vp8):
    camera = Arriving()
    for _ in range(30 * 60):
        camera.frame(vp8[1])
    waits = [b - a for a, b in pairwise(camera.asked_at_s)]
    assert waits[0] == pytest.approx(0.4, abs=0.05)
    assert waits[-1] == pytest.approx(10.0, abs=0.05)
    assert len(waits) < 12


def test_a_camera_that_changes_its_codec_begins_again_with_a_key_frame(vp8):
    camera = Arriving()
    camera.frame(vp8[0])
    key, other = encoded("libx264", 320, 180, 2)
    camera.codec = "H264"
    assert camera.frame(other) == 1
    assert [camera.frame(frame) for frame in (key, other)] == [2, 3]
    assert (camera.taken.packets[1].codec, camera.taken.packets[1].size) == ("H264", (320, 180))
    camera.codec = "VP8"
    assert camera.frame(vp8[1]) == 3


@pytest.mark.parametrize("size", [(0, 0), (8, 8), (16_383, 16_383)])
def test_a_key_frame_of_a_size_that_no_player_takes_is_left_out(vp8, size):
    claims = vp8[0].data[:6] + struct.pack("<HH", *size) + vp8[0].data[10:]
    camera = Arriving()
    camera.frame(vp8[0])
    assert camera.frame(EncodedFrame(claims, True)) == 1
    assert camera.frame(vp8[1]) == 1, "it needs the frame that was left out"
    assert camera.frame(vp8[4]) == 2


def test_a_sender_of_few_key_frames_is_asked_for_one_now_and_then(vp8):
    camera = Arriving()
    camera.frame(vp8[0])
    for _ in range(30 * 95):
        camera.frame(vp8[1])
    assert [round(asked) for asked in camera.asked_at_s] == [30, 60, 90]
