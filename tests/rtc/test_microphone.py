import asyncio
import time

import av
import numpy as np
import psutil
import pytest

from tests.rtc.calling import Call, SoundSource, pitch_hz, tone
from tests.rtc.packets import Opus, frame, opus_packets
from tests.support.waiting import until
from vision_agent.rtc import Microphone
from vision_agent.rtc.aiortc_patches import get_mono_decoder
from vision_agent.rtc.jitter_buffer import AudioJitterBuffer
from vision_agent.rtc.microphone import PcmChunks
from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError


class Played(MediaStreamTrack):
    """A track of given frames, which then ends."""

    kind = "audio"

    def __init__(self, frames: list[av.AudioFrame]) -> None:
        super().__init__()
        self.frames = frames

    async def recv(self) -> av.AudioFrame:
        if not self.frames:
            raise MediaStreamError
        return self.frames.pop(0)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "ms"),
    [(48_000, 1, 20), (48_000, 2, 60), (8000, 1, 20), (16_000, 1, 10)],
)
async def test_any_sound_becomes_20_ms_chunks_of_16_khz_mono(rate_hz, channels, ms):
    sound = tone(1000, 1.2, rate_hz)
    step = rate_hz * ms // 1000
    chunks: list[bytes] = []
    await Microphone(chunks.append).run(
        Played(
            [
                frame(sound[at : at + step], rate_hz, at, channels)
                for at in range(0, len(sound), step)
            ]
        )
    )
    assert {len(chunk) for chunk in chunks} == {640}
    chunks = [chunk for chunk in chunks if any(chunk)]  # after a track's end, chunks are silent
    assert 58 <= len(chunks) <= 60
    heard = np.frombuffer(b"".join(chunks), "<i2")
    assert pitch_hz(heard[1600:], 16_000) == pytest.approx(1000, abs=3)
    assert np.abs(heard[1600:-1600].astype(int)).max() == pytest.approx(12_000, rel=0.05)


def test_lost_sound_becomes_silence_so_that_the_timeline_stays_right():
    chunks = PcmChunks()
    loud = np.full(960, 5000, np.int16)
    out = []
    for n in [*range(50), *range(55, 100)]:
        out += chunks.feed(frame(loud, 48_000, n * 960))
    heard = np.frombuffer(b"".join(out), "<i2")
    assert chunks.filled_ms == 100
    assert len(heard) == pytest.approx(100 * 320, abs=640)
    quiet = np.flatnonzero(np.abs(heard) < 100)
    quiet = quiet[quiet > 320]
    assert len(quiet) == pytest.approx(1600, abs=160)
    assert quiet[0] == pytest.approx(50 * 320, abs=160)


def test_silence_that_was_filled_in_before_is_not_filled_in_again():
    chunks = PcmChunks()
    loud = np.full(960, 5000, np.int16)
    out = chunks.feed(frame(loud, 48_000, 0))
    out += chunks.silence(300)
    out += chunks.feed(frame(loud, 48_000, 26 * 960))
    assert chunks.filled_ms == 500
    assert 26 <= len(out) <= 27
    out += chunks.silence(300)
    out += chunks.feed(frame(loud, 48_000, 27 * 960))  # it was only late
    assert chunks.filled_ms == 800


def test_a_microphone_needs_no_threads():
    before = psutil.Process().num_threads()
    chunks = PcmChunks()
    chunks.feed(frame(tone(1000, 0.02, 48_000), 48_000, 0))
    assert psutil.Process().num_threads() <= before


def test_a_long_pause_of_the_sender_is_not_filled():
    chunks = PcmChunks()
    loud = np.full(960, 5000, np.int16)
    before = len(chunks.feed(frame(loud, 48_000, 0)))
    out = chunks.feed(frame(loud, 48_000, 48_000 * 30))
    assert before + len(out) <= 2
    assert chunks.filled_ms == 0


def test_a_sender_that_starts_anew_is_followed():
    chunks = PcmChunks()
    loud = np.full(960, 5000, np.int16)
    out = []
    for pts in [*range(96_000, 96_000 + 9600, 960), *range(0, 9600, 960)]:
        out += chunks.feed(frame(loud, 48_000, pts))
    assert 19 <= len(out) <= 20
    assert chunks.filled_ms == 0


def test_sound_without_timestamps_is_taken_as_it_comes():
    chunks = PcmChunks()
    assert len(chunks.feed(frame(np.zeros(4800, np.int16), 48_000, None))) in (4, 5)


def through_the_receiver(packets: list[tuple[int, bytes]]) -> np.ndarray:
    """The samples from jitter buffer, decoder and chunks, given (n, packet) in order of arrival."""
    buffer, decoder, chunks = AudioJitterBuffer(), get_mono_decoder(Opus), PcmChunks()
    out = []
    for n, data in packets:
        for encoded in buffer.add((65_530 + n) & 0xFFFF, n * 960, data):
            for decoded in decoder.decode(encoded):
                out += chunks.feed(decoded)
    return np.frombuffer(b"".join(out), "<i2")


def markers(heard: np.ndarray) -> list[int]:
    """The frequency of each 200 ms, rounded to 100 Hz."""
    return [
        round(pitch_hz(heard[at + 800 : at + 2800], 16_000) / 100) * 100
        for at in range(0, len(heard) - 3199, 3200)
    ]


STEPS_HZ = [500, 1100, 700, 1500, 900, 1900, 1300, 2300, 600, 1700]


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_what_is_said_arrives_in_order_also_when_packets_are_swapped(layout):
    sound = np.concatenate([tone(hz, 0.2, 48_000) for hz in STEPS_HZ] + [tone(500, 0.1, 48_000)])
    packets = list(enumerate(opus_packets(sound, layout)))
    for at in range(3, len(packets) - 1, 7):
        packets[at], packets[at + 1] = packets[at + 1], packets[at]
    assert markers(through_the_receiver(packets))[: len(STEPS_HZ)] == STEPS_HZ


def test_losses_leave_neither_a_shift_nor_a_backlog():
    sound = np.concatenate([tone(hz, 0.2, 48_000) for hz in STEPS_HZ * 5])
    packets = list(enumerate(opus_packets(sound)))
    dice = np.random.default_rng(3)
    arrived = [packet for packet in packets if dice.random() > 0.03]
    heard = through_the_receiver(arrived)
    assert len(heard) == pytest.approx(len(packets) * 320, abs=3 * 320)
    right = sum(a == b for a, b in zip(markers(heard), STEPS_HZ * 5, strict=False))
    assert right >= 47  # of 50: a lost packet may smear the marker it falls into


async def test_a_real_callers_sound_arrives_whole_in_order_and_in_time(call: Call):
    sound = np.concatenate([tone(hz, 0.2, 48_000) for hz in STEPS_HZ])
    source = SoundSource(np.concatenate([np.zeros(48_000, np.int16), sound]))
    call.caller.addTrack(source)
    await call.connect()
    chunks: list[bytes] = []
    call.run(Microphone(chunks.append).run(call.listener.microphones[0]))
    await until(lambda: source.sent >= 165)
    heard = np.frombuffer(b"".join(chunks), "<i2")
    # Each chunk is whole. Fewer than 100 of 20 ms are missing: those that were sent before the
    # microphone ran, and those on the way.
    assert len(heard) == pytest.approx(320 * len(chunks), abs=2 * 320)
    assert source.sent - len(chunks) < 100
    begin = int(np.argmax(np.abs(heard) > 2000))
    assert markers(heard[begin:])[: len(STEPS_HZ) - 1] == STEPS_HZ[:-1]


async def test_a_chunk_is_handed_on_in_the_step_that_decoded_it(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    track = call.listener.microphones[0]
    times: list[float] = []
    microphone = Microphone(lambda chunk: times.append(time.perf_counter()))
    decoded: list[float] = []
    take = microphone._take

    def noting(frame: object) -> None:
        decoded.append(time.perf_counter())
        take(frame)

    microphone._take = noting
    call.run(microphone.run(track))
    await until(lambda: len(times) > 60)
    delays = sorted(
        after - before for before, after in zip(decoded[-50:], times[-50:], strict=True)
    )
    assert delays[25] < 0.001


async def test_a_failing_consumer_ends_the_run_and_not_the_connection(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()

    def failing(chunk: bytes) -> None:
        raise LookupError("nobody there")

    with pytest.raises(LookupError, match="nobody there"):
        await asyncio.wait_for(Microphone(failing).run(call.listener.microphones[0]), 5)
    assert call.caller.connectionState == "connected"
    assert call.listener.closed == []


async def test_the_run_ends_with_the_call(call: Call):
    call.caller.addTrack(SoundSource())
    peer = await call.connect()
    running = asyncio.ensure_future(
        Microphone(lambda chunk: None).run(call.listener.microphones[0])
    )
    await asyncio.sleep(0.1)
    await peer.close()
    await asyncio.wait_for(running, 2)
