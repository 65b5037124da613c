import fractions
import random
import struct

import av
import pytest
from vision_agent.rtc.own.aiortc.codecs.h264 import H264Encoder

from vision_agent.rtc.aiortc_patches import get_decoder
from vision_agent.rtc.frame_size import UNREADABLE, FrameSize, frame_size
from vision_agent.rtc.own.aiortc.codecs import get_decoder as stock_decoder
from vision_agent.rtc.own.aiortc.codecs import h264_depayload
from vision_agent.rtc.own.aiortc.jitterbuffer import JitterFrame


def encoded(codec: str, width: int, height: int, **options: str) -> bytes:
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = fractions.Fraction(1, 30)
    context.options = options
    context.thread_count = 1  # more of libvpx's spin
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([100]) * plane.buffer_size)
    frame.pts, frame.time_base = 0, fractions.Fraction(1, 30)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def h264(width: int, height: int, profile: str = "high", x264: str = "") -> bytes:
    return encoded(
        "libx264",
        width,
        height,
        preset="ultrafast",
        tune="zerolatency",
        profile=profile,
        **{"x264-params": "annexb=1:repeat-headers=1" + x264},
    )


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1, 1), (641, 479), (720, 1280)])
def test_a_vp8_key_frame_says_its_size(width: int, height: int):
    data = encoded("libvpx", width, height)
    assert frame_size("VP8", data) == (width, height)


def test_the_scale_of_a_vp8_key_frame_is_no_part_of_its_size():
    data = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 0xC000 | 320, 0x4000 | 240)
    assert frame_size("VP8", data) == (320, 240)


def test_a_vp8_delta_frame_says_nothing():
    assert frame_size("VP8", b"\x01" + bytes(20)) is None


@pytest.mark.parametrize("data", [b"", b"\0", bytes(9), bytes(20), b"\0\0\0\x9d\x01\x2a\x40"])
def test_a_vp8_header_that_is_cut_off_or_wrong_is_unreadable(data: bytes):
    assert frame_size("VP8", data) == UNREADABLE
    assert not UNREADABLE.decodable


@pytest.mark.parametrize("profile", ["baseline", "main", "high", "high10", "high444"])
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1920, 1080), (322, 242)])
def test_an_h264_frame_says_the_size_that_is_decoded(profile: str, width: int, height: int):
    size = frame_size("H264", h264(width, height, profile))
    assert size == (-width % 16 + width, -height % 16 + height)  # the decoder crops afterwards


def test_an_interlaced_h264_frame_is_twice_as_high_as_its_fields():
    # Its height is coded in units of two macroblocks.
    assert frame_size("H264", h264(640, 480, x264=":interlaced=1")) == (640, 480)


def test_of_several_parameter_sets_the_largest_counts():
    small, large = h264(640, 480), h264(4096, 2304)
    assert frame_size("H264", small + large + small) == (4096, 2304)


def test_a_parameter_set_is_found_in_whatever_packets_it_came():
    # An x264 frame in aggregation packets (STAP-A) and fragmentation units (FU-A), as peers send.
    data = h264(640, 480)
    payloads = H264Encoder._packetize(H264Encoder._split_bitstream(data))
    assert frame_size("H264", b"".join(map(h264_depayload, payloads))) == (640, 480)
    units = [unit for unit in data.split(b"\0\0\1") if unit and unit[0] & 0x1F == 7]
    unit = units[0].rstrip(b"\0")
    cuts = [unit[1:4], unit[4:9], unit[9:]]
    fragments = [
        bytes([unit[0] & 0xE0 | 28, 7 | 0x80 * (n == 0) | 0x40 * (n == 2)]) + cut
        for n, cut in enumerate(cuts)
    ]
    assert frame_size("H264", b"".join(map(h264_depayload, fragments))) == (640, 480)


def test_an_h264_frame_without_a_parameter_set_says_nothing():
    assert frame_size("H264", b"\0\0\1\x65" + bytes(30)) is None
    assert frame_size("H264", b"") is None
    assert frame_size("AV1", b"whatever") is None


def test_any_parameter_set_has_a_size_or_none_that_can_be_read():
    rng = random.Random(9)
    whole = h264(640, 480)
    at = whole.index(b"\x67")
    for _ in range(5000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[at + rng.randint(1, 24)] = rng.getrandbits(8)
        size = frame_size("H264", bytes(data[: rng.randint(at, len(data))]))
        assert size is None or min(size) >= 0


@pytest.mark.parametrize(
    ("size", "decodable"),
    [
        ((4096, 2304), True),
        ((2304, 4096), True),
        ((16, 16), True),
        ((1920, 64), True),
        ((4097, 16), False),
        ((4096, 2320), False),
        ((3100, 3100), False),
        ((16383, 16383), False),
        ((15, 4000), False),
        ((2, 2), False),
        ((0, 640), False),
    ],
)
def test_what_is_decoded(size: tuple[int, int], decodable: bool):
    assert FrameSize(*size).decodable is decodable


def test_a_refusal_says_what_to_do():
    assert "8192x4352" in FrameSize(8192, 4352).refusal()
    assert "lower resolution" in FrameSize(8192, 4352).refusal()
    assert "higher resolution" in FrameSize(2, 2).refusal()


class Codec:
    name, mimeType = "H264", "video/H264"


def test_the_h264_decoder_itself_refuses_what_is_too_large():
    small, large = h264(640, 480), h264(8192, 4352)
    assert stock_decoder(Codec).decode(JitterFrame(large, 0))
    decoder = get_decoder(Codec)
    assert decoder.decode(JitterFrame(small, 0))[0].width == 640
    with pytest.raises(av.FFmpegError):
        decoder.decode(JitterFrame(large, 3000))
