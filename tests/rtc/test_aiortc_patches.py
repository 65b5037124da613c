import asyncio
import time
from collections.abc import Callable

import av
import numpy as np
import pytest

from tests.rtc.calling import Call, FrameSource, SoundSource
from tests.rtc.packets import Opus, opus_packets
from tests.support.waiting import until
from vision_agent.rtc import Camera, aiortc_ice, aiortc_patches, install
from vision_agent.rtc.aiortc_patches import (
    SafeDecoder,
    check,
    decoder_queue_of,
    get_decoder,
    get_mono_decoder,
)
from vision_agent.rtc.aiortc_receiver import DECODER_ERROR, DECODER_QUEUE, BoundedReceiver
from vision_agent.rtc.aiortc_rtp import BoundedRouter
from vision_agent.rtc.decoder_queues import AudioDecoderQueue, VideoDecoderQueue
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aiortc import RTCRtpReceiver, RTCRtpSender, RTCSctpTransport
from vision_agent.rtc.own.aiortc import rtcpeerconnection as peer_connection_module
from vision_agent.rtc.own.aiortc import rtcrtpreceiver as receiver_module
from vision_agent.rtc.own.aiortc.jitterbuffer import JitterFrame
from vision_agent.rtc.own.aiortc.rtcdtlstransport import RTCDtlsTransport


def test_installing_again_changes_nothing():
    before = (peer_connection_module.RTCRtpReceiver, aioice.ice.get_host_addresses)
    install()
    assert (peer_connection_module.RTCRtpReceiver, aioice.ice.get_host_addresses) == before
    assert peer_connection_module.RTCRtpReceiver is BoundedReceiver
    assert receiver_module.get_decoder is get_decoder


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """aiortc's own decoders in place of the product's."""
    from vision_agent.rtc.own.aiortc.codecs import get_decoder as stock_get_decoder

    monkeypatch.setattr(receiver_module, "get_decoder", stock_get_decoder)
    return monkeypatch


def other_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    def __init__(self, clockrate):
        pass

    monkeypatch.setattr(receiver_module.StreamStatistics, "__init__", __init__)


def other_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver_module.NackGenerator, "add", lambda self, packet, now: None)


def other_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoder_worker(loop, input_q, output_q, decode_error):
        pass

    monkeypatch.setattr(receiver_module, "decoder_worker", decoder_worker)


def other_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    def __init__(self, kind, transport):
        pass

    monkeypatch.setattr(RTCRtpReceiver, "__init__", __init__)


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "StreamStatistics no longer": other_statistics,
    "add takes": other_add,
    "decoder_worker no longer": other_worker,
    "RTCRtpReceiver no longer": other_receiver,
    "get_decoder is gone": lambda m: m.delattr(receiver_module, "get_decoder"),
    "_send_rtp is gone": lambda m: m.delattr(RTCDtlsTransport, "_send_rtp"),
    "connection_made takes": lambda m: m.setattr(
        aiortc_ice.StunProtocol, "connection_made", lambda self: None
    ),
    "get_host_addresses is gone": lambda m: m.delattr(aioice.ice, "get_host_addresses"),
    "_receive_sack_chunk is gone": lambda m: m.delattr(RTCSctpTransport, "_receive_sack_chunk"),
    "_handle_data takes": lambda m: m.setattr(RTCSctpTransport, "_handle_data", lambda self: None),
    "RTCSctpTransport no longer": lambda m: m.setattr(
        RTCSctpTransport, "__init__", lambda self, transport, port: None
    ),
    "_run_rtcp is gone": lambda m: m.delattr(RTCRtpReceiver, "_run_rtcp"),
    "_retransmit takes": lambda m: m.setattr(RTCRtpSender, "_retransmit", lambda self: None),
    "data_received is gone": lambda m: m.delattr(aioice.ice.Connection, "data_received"),
    "_register_data_receiver is gone": lambda m: m.delattr(
        RTCDtlsTransport, "_register_data_receiver"
    ),
    "no longer uses RtpRouter": lambda m: m.setattr(
        RTCDtlsTransport, "__init__", lambda self, transport, certificates: None
    ),
    # aiortc's name for it is the replacement's, once that is installed.
    "RtpRouter no longer": lambda m: m.setattr(
        BoundedRouter.__base__, "__init__", lambda self: None
    ),
    "check_incoming is gone": lambda m: m.delattr(aioice.ice.Connection, "check_incoming"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_aiortc_is_refused_at_the_start_in_words(stock, what):
    check()
    CHANGES[what](stock)
    with pytest.raises(RuntimeError, match=f"aiortc 1.16.*{what}"):
        install()


def test_the_parts_that_are_read_are_there_in_a_real_receiver():
    # `check` can't see these attributes, because only a receiver creates them.
    async def look() -> None:
        call = Call()
        call.caller.addTrack(SoundSource())
        await call.connect()
        receiver = call.peer._pc.getReceivers()[0]
        assert isinstance(getattr(receiver, DECODER_QUEUE), AudioDecoderQueue)
        assert hasattr(receiver, DECODER_ERROR)
        assert aiortc_patches.Transports(call.peer._pc).checks() > 0
        await call.close()

    asyncio.run(look())


def opus_frames() -> list:
    decoder = get_mono_decoder(Opus)
    return [
        frame
        for n, data in enumerate(opus_packets(np.zeros(9600, np.int16), "stereo"))
        for frame in decoder.decode(JitterFrame(data, 6000 + n * 960))
    ]


def test_opus_is_decoded_to_what_a_model_takes_with_its_timestamps():
    frames = opus_frames()
    assert {(frame.sample_rate, frame.samples, len(frame.pcm)) for frame in frames} == {
        (16_000, 320, 640)
    }
    assert [frame.pts for frame in frames] == [2000 + n * 320 for n in range(len(frames))]


def test_where_libopus_is_not_found_ffmpeg_decodes_to_one_channel(monkeypatch):
    monkeypatch.setattr(aiortc_patches, "library", lambda: None)
    frames = opus_frames()
    assert {frame.layout.name for frame in frames} == {"mono"}
    assert {(frame.sample_rate, frame.samples) for frame in frames} == {(48_000, 960)}
    assert [frame.pts for frame in frames] == [6000 + n * 960 for n in range(len(frames))]


def test_other_codecs_keep_their_decoders():
    class Pcmu:
        name, mimeType = "PCMU", "audio/PCMU"

    frames = get_mono_decoder(Pcmu).decode(JitterFrame(b"\xff" * 160, 0))
    assert isinstance(frames[0], av.AudioFrame)
    assert frames[0].samples == 160


def test_whatever_a_decoder_raises_is_a_broken_frame_and_logged_once(caplog):
    # Any other exception would end aiortc's decoder thread, and with it the track, unseen.
    class Broken:
        def decode(self, encoded_frame: JitterFrame) -> list:
            raise MemoryError("too large")

    decoder = SafeDecoder(Broken())
    for _ in range(3):
        with pytest.raises(av.FFmpegError):
            decoder.decode(JitterFrame(b"x", 0))
    assert decoder.failures == 3
    assert caplog.text.count("could not be decoded") == 1


async def test_each_track_of_a_call_has_its_own_decoder_queue(call: Call):
    call.caller.addTrack(SoundSource())
    call.caller.addTrack(FrameSource())
    await call.connect()
    assert isinstance(decoder_queue_of(call.listener.microphones[0]), AudioDecoderQueue)
    assert isinstance(decoder_queue_of(call.listener.cameras[0]), VideoDecoderQueue)
    assert decoder_queue_of(SoundSource()) is None


async def test_a_peer_without_decoder_queues_hears_and_sees_through_the_same_hooks(call: Call):
    # The caller receives through a stock receiver on top of the replaced parts.
    call.caller.addTransceiver("audio", direction="recvonly")
    await call.connect()
    frame = await asyncio.wait_for(call.heard[0].recv(), 5)
    assert isinstance(frame, av.AudioFrame)
    assert frame.layout.name == "stereo"  # as aiortc decodes for others


async def test_a_frame_is_here_a_few_milliseconds_after_it_was_sent(call: Call):
    source = FrameSource(fps=2)
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
    # Stock aiortc hands over a frame when the next one arrives, 500 ms later.
    assert sorted(delays)[1] < 0.3
