"""H.264 of profiles that aiortc does not know, with B-frames sent out of display order."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from vision_agent.rtc.frame_sampler import FrameSampler, is_key_frame
from vision_agent.rtc.h264_decoder import PromptH264Decoder
from vision_agent.rtc.jitter_buffer import Encoded, MediaClock

FPS = 30


def sent(profile: str, b_frames: int, pixels: str = "yuv420p") -> list[Encoded]:
    """Two seconds in decoding order: a key frame every half second, B-frames between."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = 160, 120, pixels
    codec.time_base, codec.framerate = Fraction(1, FPS), FPS
    keys = "keyint=15:min-keyint=15:scenecut=0:b-adapt=0"
    codec.options = {"profile": profile, "bf": str(b_frames), "x264-params": keys}
    packets = []
    for n in range(2 * FPS):
        rgb = np.full((120, 160, 3), 4 * n, np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
        frame.pts = n
        packets += codec.encode(frame)
    packets += codec.encode(None)
    return [Encoded(bytes(packet), packet.pts * 3000) for packet in packets]


@pytest.mark.parametrize(
    ("profile", "b_frames", "pixels"),
    [
        ("baseline", 0, "yuv420p"),
        ("main", 2, "yuv420p"),
        ("high", 3, "yuv420p"),
        ("high10", 2, "yuv420p10le"),
        ("high444", 1, "yuv444p"),
    ],
)
def test_a_key_frame_is_there_at_once_whatever_the_profile(profile, b_frames, pixels):
    frames = sent(profile, b_frames, pixels)
    for only_keys in (False, True):
        decoder = PromptH264Decoder()
        for encoded in frames:
            key = is_key_frame("H264", encoded.data)
            if only_keys and not key:
                continue
            decoded = decoder.decode(encoded)
            if key:
                [at_once] = [frame for frame in decoded if frame.pts == encoded.timestamp]
                luma = at_once.to_ndarray(format="gray").mean()
                assert luma == pytest.approx(4 * encoded.timestamp / 3000, abs=16)


def test_frames_out_of_their_order_are_neither_a_jump_of_the_clock_nor_all_due():
    frames = sent("main", 2)
    assert any(b.timestamp < a.timestamp for a, b in pairwise(frames))
    clock, sampler = MediaClock(), FrameSampler(rate_hz=1)
    start = (1 << 32) - 9000  # the 32-bit timestamp wraps on the way
    chosen = 0
    for encoded in frames:
        ticks = clock.map((start + encoded.timestamp) & 0xFFFFFFFF)
        assert ticks == encoded.timestamp
        sampler.wants(is_key_frame("H264", encoded.data), ticks, False, ticks / 90_000)
        chosen += sampler.chosen(ticks)
    assert chosen == 2
