"""A key frame of H.264 can be decoded by itself, wherever its sender states the parameter sets."""

import base64

import pytest

from tests.support.encoding import encoded
from vision_agent.rtc.decoder_queues import VideoDecoderQueue
from vision_agent.rtc.frame_size import shown_size
from vision_agent.rtc.h264_parameter_sets import MAX_BYTES, ParameterSets, stated_parameter_sets

START = b"\0\0\0\1"


class Codec:
    name = "H264"


class Encoded:
    after_loss = False
    timestamp = 0

    def __init__(self, data: bytes) -> None:
        self.data = data


class Shown:
    """A tap that records whether each frame is a key frame, and its size."""

    def __init__(self) -> None:
        self.frames: list[tuple[bool, object]] = []

    def video(self, codec: str, data: bytes, ticks: int, now_s: float, *, key, after_loss) -> bool:
        self.frames.append((key, shown_size(codec, data)))
        return False


def parts() -> tuple[bytes, bytes, bytes]:
    """The SPS, the PPS and the slice of a key frame."""
    data = encoded("libx264", 320, 180, 1)[0].data
    units = [unit for unit in data.replace(START, b"\0\0\1").split(b"\0\0\1") if unit]
    first = {unit[0] & 0x1F: START + unit for unit in reversed(units)}
    return first[7], first[8], first[5]


def sprop(*units: bytes) -> str:
    return ",".join(base64.b64encode(unit.removeprefix(START)).decode() for unit in units)


def test_a_key_frame_gets_the_parameter_sets_that_were_sent_or_stated_before_it():
    sps, pps, slice = parts()
    delta = START + b"\x41\x9a"
    for before, first in (
        (stated_parameter_sets(sprop(sps, pps)), []),  # in the offer alone
        (b"", [sps + pps + slice, delta]),  # with the first key frame alone
        (b"", [sps, pps]),  # by themselves, each with a timestamp of its own
        (stated_parameter_sets(sprop(sps)), [pps]),
    ):
        decoder_queue, tap = VideoDecoderQueue(lambda: None), Shown()
        decoder_queue.tap = tap
        decoder_queue.parameter_sets.state(before)
        for data in (*first, slice):
            decoder_queue.put((Codec, Encoded(data)), 0.0)
        assert tap.frames[-1] == (True, (320, 180))
    sets = ParameterSets()
    assert sets.completed(slice, key=True) == slice
    assert sets.completed(sps + pps + slice, key=True) == sps + pps + slice
    assert sets.completed(delta, key=False) == delta
    assert sets.completed(slice, key=True) == sps + pps + slice


def test_the_newest_parameter_sets_count_and_an_offer_that_says_the_same_again_changes_nothing():
    sps, pps, slice = parts()
    sets = ParameterSets()
    sets.state(sps + pps)
    sets.completed(pps + b"\1" + slice, key=True)
    sets.state(sps + pps)
    assert sets.completed(slice, key=True) == sps + pps + b"\1" + slice
    # A parameter set beyond the bound is not kept.
    sets.completed(sps + MAX_BYTES * b"\1" + slice, key=True)
    assert sets.completed(slice, key=True) == sps + pps + b"\1" + slice


@pytest.mark.parametrize("text", ["", ",", "no base64", "Z0", "YWJj", "Z" * 8000])
def test_what_an_offer_states_that_is_no_parameter_set_is_ignored(text):
    assert stated_parameter_sets(text) == b""
