import asyncio
import time
from collections.abc import Callable

import aioice.ice
import aiortc.rtcrtpreceiver as receiver_module
import av
import numpy as np
import pytest
from aiortc import RTCRtpReceiver, RTCRtpSender, RTCSctpTransport
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcdtlstransport import RtpRouter

from tests.rtc.calling import Call, PictureSource, SoundSource, until
from tests.rtc.test_microphone import Opus, Packet, opus_packets
from vision_agent.rtc import Camera, aiortc_patches, install
from vision_agent.rtc.aiortc_patches import (
    FIXED_BITRATE_BPS,
    FixedBitrate,
    PromptJitterBuffer,
    UnfoldingDecoder,
    check,
    get_decoder,
    get_mono_decoder,
    lane_of,
)
from vision_agent.rtc.lane import AudioLane, VideoLane


def test_installing_again_changes_nothing():
    before = (receiver_module.JitterBuffer, aioice.ice.get_host_addresses)
    install()
    assert (receiver_module.JitterBuffer, aioice.ice.get_host_addresses) == before
    assert receiver_module.JitterBuffer is PromptJitterBuffer
    assert receiver_module.get_decoder is get_decoder
    assert receiver_module.RemoteBitrateEstimator is FixedBitrate


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """aiortc as it comes."""
    from aiortc.codecs import get_decoder as stock_get_decoder
    from aiortc.rate import RemoteBitrateEstimator

    monkeypatch.setattr(receiver_module, "JitterBuffer", JitterBuffer)
    monkeypatch.setattr(receiver_module, "get_decoder", stock_get_decoder)
    monkeypatch.setattr(receiver_module, "RemoteBitrateEstimator", RemoteBitrateEstimator)
    return monkeypatch


def other_jitter_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    class JitterBuffer:
        def __init__(self, size: int) -> None:
            pass

    monkeypatch.setattr(receiver_module, "JitterBuffer", JitterBuffer)


def other_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JitterBuffer, "add", lambda self, packet, now: None)


def other_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoder_worker(loop, input_q, output_q, decode_error):
        pass

    monkeypatch.setattr(receiver_module, "decoder_worker", decoder_worker)


def other_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    def __init__(self, kind, transport):
        pass

    monkeypatch.setattr(RTCRtpReceiver, "__init__", __init__)


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "JitterBuffer takes": other_jitter_buffer,
    "add takes": other_add,
    "decoder_worker no longer": other_worker,
    "RTCRtpReceiver no longer": other_receiver,
    "JitterBuffer is gone": lambda m: m.delattr(receiver_module, "JitterBuffer"),
    "get_decoder is gone": lambda m: m.delattr(receiver_module, "get_decoder"),
    "RemoteBitrateEstimator is gone": lambda m: m.delattr(
        receiver_module, "RemoteBitrateEstimator"
    ),
    "get_host_addresses is gone": lambda m: m.delattr(aioice.ice, "get_host_addresses"),
    "_receive_sack_chunk is gone": lambda m: m.delattr(RTCSctpTransport, "_receive_sack_chunk"),
    "_handle_data takes": lambda m: m.setattr(RTCSctpTransport, "_handle_data", lambda self: None),
    "RTCSctpTransport no longer": lambda m: m.setattr(
        RTCSctpTransport, "__init__", lambda self, transport, port: None
    ),
    "_run_rtcp is gone": lambda m: m.delattr(RTCRtpReceiver, "_run_rtcp"),
    "_retransmit takes": lambda m: m.setattr(RTCRtpSender, "_retransmit", lambda self: None),
    "RtpRouter no longer": lambda m: m.setattr(RtpRouter, "__init__", lambda self: None),
    "check_incoming is gone": lambda m: m.delattr(aioice.ice.Connection, "check_incoming"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_aiortc_is_refused_at_the_start_in_words(stock, what):
    check()
    CHANGES[what](stock)
    with pytest.raises(RuntimeError, match=f"aiortc 1.16.*{what}"):
        install()


def test_the_parts_that_are_read_are_there_in_a_real_receiver():
    # What `check` cannot see: they are made when a receiver is.
    async def look() -> None:
        call = Call()
        call.caller.addTrack(SoundSource())
        await call.connect()
        receiver = call.peer._pc.getReceivers()[0]
        assert isinstance(getattr(receiver, aiortc_patches._DECODER_QUEUE), AudioLane)
        assert hasattr(receiver, aiortc_patches._DECODER_ERROR)
        assert aiortc_patches.Transports(call.peer._pc).checks() > 0
        await call.close()

    asyncio.run(look())


def test_sound_is_not_held_back_as_stock_aiortc_does():
    ours, theirs = PromptJitterBuffer(16, 4), JitterBuffer(16, 4)
    held = [theirs.add(Packet(n, n * 960, b"x"))[1] for n in range(4)]
    assert held == [None] * 4
    for n in range(50):
        assert ours.add(Packet(n, n * 960, b"x"))[1].timestamp == n * 960


def test_a_picture_is_handed_over_with_its_marker():
    ours, theirs = PromptJitterBuffer(512, 0, True), JitterBuffer(512, 0, True)
    packet = Packet(1, 3000, b"picture")
    packet.marker = 1
    assert theirs.add(packet)[1] is None
    key_frame_needed, frame = ours.add(packet)
    assert (key_frame_needed, frame.data) == (False, b"picture")


def test_frames_that_become_whole_together_are_handed_over_together():
    buffer = PromptJitterBuffer(16, 4)
    buffer.add(Packet(0, 0xFFFFFF00, b"0"))
    assert buffer.add(Packet(2, 1664, b"2"))[1] is None
    frame = buffer.add(Packet(1, 704, b"1"))[1]
    frame.timestamp = 960  # as aiortc counts, from zero
    assert [(one.data, one.timestamp) for one in frame.unfolded()] == [(b"1", 960), (b"2", 1920)]


def test_opus_is_decoded_to_one_channel_with_its_timestamps():
    decoder = get_mono_decoder(Opus)
    assert isinstance(decoder, Decoder)
    packets = opus_packets(np.zeros(9600, np.int16), "stereo")
    frames = [
        frame
        for n, data in enumerate(packets)
        for frame in decoder.decode(JitterFrame(data, 5000 + n * 960))
    ]
    assert {frame.layout.name for frame in frames} == {"mono"}
    assert {(frame.sample_rate, frame.samples) for frame in frames} == {(48_000, 960)}
    assert [frame.pts for frame in frames] == [5000 + n * 960 for n in range(len(frames))]


def test_other_codecs_keep_their_decoders():
    class Pcmu:
        name, mimeType = "PCMU", "audio/PCMU"

    frames = get_mono_decoder(Pcmu).decode(JitterFrame(b"\xff" * 160, 0))
    assert isinstance(frames[0], av.AudioFrame)
    assert frames[0].samples == 160


def test_the_bit_rate_is_said_once_a_second_for_all_streams():
    estimator = FixedBitrate()
    said = []
    for ms in range(0, 5000, 10):
        remb = estimator.add(
            arrival_time_ms=ms, abs_send_time=0, payload_size=1200, ssrc=1 + ms // 10 % 2
        )
        if remb:
            said.append((ms, remb))
    assert [ms for ms, _ in said] == [0, 1000, 2000, 3000, 4000]
    assert said[-1][1] == (FIXED_BITRATE_BPS, [1, 2])


def test_the_streams_of_a_report_are_bounded():
    estimator = FixedBitrate()
    for ssrc in range(1000):
        estimator.add(ssrc, 0, 0, ssrc)
    assert len(estimator.add(10_000, 0, 0, 1)[1]) <= 8


def test_whatever_a_decoder_raises_is_a_broken_frame_and_logged_once(caplog):
    # Any other exception would end aiortc's decoder thread, and with it the track, unseen.
    class Broken:
        def decode(self, encoded_frame: JitterFrame) -> list:
            raise MemoryError("too large")

    decoder = UnfoldingDecoder(Broken())
    for _ in range(3):
        with pytest.raises(av.FFmpegError):
            decoder.decode(JitterFrame(b"x", 0))
    assert decoder.failures == 3
    assert caplog.text.count("could not be decoded") == 1


async def test_each_track_of_a_call_has_its_own_lane(call: Call):
    call.caller.addTrack(SoundSource())
    call.caller.addTrack(PictureSource())
    await call.connect()
    assert isinstance(lane_of(call.listener.microphones[0]), AudioLane)
    assert isinstance(lane_of(call.listener.cameras[0]), VideoLane)
    assert lane_of(SoundSource()) is None


async def test_a_peer_without_lanes_hears_and_sees_through_the_same_hooks(call: Call):
    # The caller here is a stock receiver on top of the replaced parts: it must still work.
    call.caller.addTransceiver("audio", direction="recvonly")
    await call.connect()
    frame = await asyncio.wait_for(call.heard[0].recv(), 5)
    assert isinstance(frame, av.AudioFrame)
    assert frame.layout.name == "stereo"  # as aiortc decodes for others


async def test_a_picture_is_here_a_few_milliseconds_after_it_was_sent(call: Call):
    source = PictureSource(fps=2)
    call.caller.addTrack(source)
    await call.connect()
    frames = []
    call.run(Camera(frames.append, rate_hz=100).run(call.listener.cameras[0]))
    await until(lambda: len(frames) >= 2)
    delays = []
    for _ in range(3):
        sent, had = source.sent, len(frames)
        await until(lambda sent=sent: source.sent > sent)
        began = time.monotonic()
        await until(lambda had=had: len(frames) > had, 3)
        delays.append(time.monotonic() - began)
    # Stock aiortc hands a picture over with the next one, 500 ms later.
    assert sorted(delays)[1] < 0.3
