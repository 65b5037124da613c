import asyncio
import struct
import threading
from dataclasses import dataclass

import av
import pytest

from vision_agent.rtc.decoder_queues import (
    MAX_DECODED_AUDIO,
    MAX_ENCODED_VIDEO,
    AudioDecoderQueue,
    VideoDecoderQueue,
)
from vision_agent.rtc.frame_sampler import FrameSampler


@dataclass
class Codec:
    name: str


@dataclass
class Encoded:
    data: bytes
    timestamp: int


class Decoder:
    def decode(self, encoded: Encoded) -> list[str]:
        if encoded.data == b"broken":
            raise av.error.InvalidDataError(1, "broken")
        return [f"{encoded.data.decode()} decoded"]


def audio_queue() -> tuple[AudioDecoderQueue, asyncio.Queue]:
    queue: asyncio.Queue = asyncio.Queue()
    return AudioDecoderQueue(queue, lambda codec: Decoder()), queue


OPUS, VP8 = Codec("opus"), Codec("VP8")
DELTA = b"\1delta"


def key_frame(width: int, height: int) -> bytes:
    """The header of a VP8 key frame (RFC 6386 9.1)."""
    return b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)


KEY = key_frame(320, 240)


async def test_sound_is_decoded_at_once_and_waits_for_its_reader():
    decoder_queue, queue = audio_queue()
    decoder_queue.put((OPUS, Encoded(b"a", 0)))
    assert queue.get_nowait() == "a decoded"


async def test_sound_that_nobody_reads_is_bounded_and_the_oldest_goes():
    decoder_queue, queue = audio_queue()
    for n in range(MAX_DECODED_AUDIO + 5):
        decoder_queue.put((OPUS, Encoded(b"%d" % n, n)))
    assert queue.qsize() == MAX_DECODED_AUDIO
    assert queue.get_nowait() == "5 decoded"
    assert decoder_queue.dropped == 5


async def test_sound_that_cannot_be_decoded_is_counted_and_skipped(caplog):
    decoder_queue, queue = audio_queue()
    for data in (b"broken", b"broken", b"a"):
        decoder_queue.put((OPUS, Encoded(data, 0)))
    assert queue.get_nowait() == "a decoded"
    assert decoder_queue.undecodable == 2
    assert len(caplog.records) == 1


async def test_a_failing_sink_ends_the_track_and_not_the_caller_of_put():
    decoder_queue, queue = audio_queue()

    def failing(frame: object) -> None:
        raise LookupError("nobody there")

    decoder_queue.sink = failing
    decoder_queue.put((OPUS, Encoded(b"a", 0)))
    assert queue.get_nowait() is None
    assert isinstance(decoder_queue.sink_error, LookupError)


@pytest.mark.parametrize("decoder_queue", [audio_queue()[0], VideoDecoderQueue(lambda: None)])
def test_the_decoders_thread_is_let_go_at_the_end(decoder_queue):
    thread = threading.Thread(target=decoder_queue.get)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    decoder_queue.put(None)
    thread.join(2)
    assert not thread.is_alive()


def test_without_a_gate_no_frame_passes():
    decoder_queue = VideoDecoderQueue(lambda: None)
    decoder_queue.put((VP8, Encoded(KEY, 0)), 0.0)
    decoder_queue.put(None)
    assert decoder_queue.get() is None


def test_only_what_the_gate_wants_reaches_the_decoder_and_a_key_frame_is_asked_for():
    asked = []
    decoder_queue = VideoDecoderQueue(lambda: asked.append(True))
    decoder_queue.sampler = FrameSampler()
    passed = []
    for n in range(90):
        decoder_queue.put((VP8, Encoded(KEY if n == 0 else DELTA, n * 3000)), n / 30)
        while decoder_queue._waiting.qsize():
            passed.append(decoder_queue.get()[1].timestamp)
    assert passed == [0, 3000, 6000]  # the rate is known from the fourth frame on
    assert 4 <= len(asked) <= 6  # from one second on, every 0.4 s


def test_frames_before_a_slow_decoder_are_bounded_and_given_up_together():
    asked = []
    decoder_queue = VideoDecoderQueue(lambda: asked.append(True))
    decoder_queue.sampler = FrameSampler()
    for n in range(MAX_ENCODED_VIDEO):
        decoder_queue.put((VP8, Encoded(KEY if n == 0 else DELTA, n * 45_000)), n / 2)
    assert decoder_queue._waiting.qsize() == MAX_ENCODED_VIDEO
    decoder_queue.put((VP8, Encoded(DELTA, 200_000)), 3.0)
    assert decoder_queue._waiting.qsize() == 0
    assert asked
    decoder_queue.put((VP8, Encoded(DELTA, 245_000)), 3.5)
    assert decoder_queue._waiting.qsize() == 0  # the frames that it refers to are gone
    decoder_queue.put((VP8, Encoded(KEY, 290_000)), 4.0)
    assert decoder_queue._waiting.qsize() == 1
    assert decoder_queue.dropped == MAX_ENCODED_VIDEO


def watched() -> tuple[VideoDecoderQueue, list[bool], list[object]]:
    asked: list[bool] = []
    refused: list[object] = []
    decoder_queue = VideoDecoderQueue(lambda: asked.append(True))
    decoder_queue.sampler, decoder_queue.on_refused = FrameSampler(), refused.append
    return decoder_queue, asked, refused


@pytest.mark.parametrize("size", [(16383, 16383), (4112, 16), (4096, 2320), (2, 2), (640, 8)])
def test_a_frame_of_a_size_that_is_not_decoded_is_told_of_and_never_decoded(size):
    decoder_queue, _, refused = watched()
    decoder_queue.put((VP8, Encoded(key_frame(*size), 0)), 0.0)
    assert refused == [size]
    decoder_queue.put((VP8, Encoded(DELTA, 3000)), 0.1)  # it refers to the undecoded frame
    assert decoder_queue._waiting.qsize() == 0
    decoder_queue.put((VP8, Encoded(KEY, 90_000)), 1.0)
    assert decoder_queue._waiting.qsize() == 1


def test_a_frame_without_a_readable_size_asks_for_a_key_frame():
    decoder_queue, asked, refused = watched()
    decoder_queue.put((VP8, Encoded(b"\0\0\0\x9d", 0)), 0.0)
    assert (decoder_queue.undecodable, asked, refused) == (1, [True], [])
    assert decoder_queue._waiting.qsize() == 0


@pytest.mark.parametrize(
    ("size", "most"), [((64, 64), 61), ((1280, 720), 61), ((4096, 2304), 13)], ids=str
)
def test_frames_are_decoded_at_a_bounded_rate_whatever_their_timestamps_say(size, most):
    decoder_queue, _, _ = watched()
    decoded = 0
    for n in range(2000):
        decoder_queue.put((VP8, Encoded(key_frame(*size), n * 90_000)), n / 1000)
        while decoder_queue._waiting.qsize():
            decoder_queue.get()
            decoded += 1
    assert 4 <= decoded <= most


def sound(ms: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=48 * ms)
    frame.sample_rate = 48_000
    return frame


class Sound:
    def __init__(self, ms: int) -> None:
        self.frame = sound(ms)

    def decode(self, encoded: object) -> list[av.AudioFrame]:
        return [self.frame]


@pytest.mark.parametrize(("ms", "per_s", "most_s"), [(20, 5000, 25), (120, 400, 25), (2, 400, 20)])
def test_sound_is_taken_at_twice_its_speed_at_most(ms, per_s, most_s):
    taken: list[object] = []
    decoder_queue = AudioDecoderQueue(asyncio.Queue(), lambda codec: Sound(ms))
    decoder_queue.sink = taken.append
    for n in range(per_s * 10):
        decoder_queue.put((OPUS, Encoded(b"a", n)), n / per_s)
    assert len(taken) * ms / 1000 <= most_s
    assert len(taken) + decoder_queue.dropped == per_s * 10


def test_sound_at_its_own_speed_is_all_taken_and_so_is_a_burst_after_a_stall():
    taken: list[object] = []
    decoder_queue = AudioDecoderQueue(asyncio.Queue(), lambda codec: Sound(20))
    decoder_queue.sink = taken.append
    for n in range(3000):
        decoder_queue.put(
            (OPUS, Encoded(b"a", n)), max(n / 50, 30.0) if 1400 < n < 1500 else n / 50
        )
    assert (len(taken), decoder_queue.dropped) == (3000, 0)
