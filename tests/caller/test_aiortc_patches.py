"""The private parts of aiortc that the caller replaces or wraps are as its patches expect."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import aioice
import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from tests.support.signals import silence, tone
from tests.support.waiting import until
from vision_agent.caller import aiortc_patches
from vision_agent.caller.aiortc_patches import (
    decode_in_place,
    encode_in_place,
    gather_loopback,
    hold_back_little,
    keep_consent,
    watch_arrivals,
)
from vision_agent.caller.level import rms
from vision_agent.caller.sound_codec import sound_encoder
from vision_agent.caller.tracks import MicrophoneTrack


async def test_the_offer_has_a_candidate_on_the_loopback_interface_once() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.createDataChannel("chat")
    gather_loopback(peer)
    await peer.setLocalDescription(await peer.createOffer())
    candidates = [line for line in peer.localDescription.sdp.splitlines() if "candidate:" in line]
    await peer.close()
    assert sum(" 127.0.0.1 " in line for line in candidates) == 1


def test_aiortc_hands_each_packet_to_the_method_that_is_wrapped() -> None:
    parameters = inspect.signature(RTCRtpReceiver._handle_rtp_packet).parameters
    assert list(parameters) == ["self", "packet", "arrival_time_ms"]


async def test_a_packet_is_noted_when_it_arrives_and_then_handled() -> None:
    happened: list[str] = []

    class Receiver:
        async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
            happened.append(f"handled {packet.timestamp} of {arrival_time_ms}")

    receiver = Receiver()
    watch_arrivals(receiver, lambda timestamp: happened.append(f"noted {timestamp}"))
    await receiver._handle_rtp_packet(RtpPacket(timestamp=960), arrival_time_ms=7)
    assert happened == ["noted 960", "handled 960 of 7"]


async def test_an_audio_receivers_buffer_is_made_smaller() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = peer.addTransceiver("audio").receiver
    hold_back_little(receiver)
    buffer = receiver._RTCRtpReceiver__jitter_buffer
    assert (buffer.capacity, buffer._prefetch) == (4, 1)
    await peer.close()


def audio_codec(mime: str) -> Any:
    codecs = RTCRtpSender.getCapabilities("audio").codecs
    return next(each for each in codecs if each.mimeType == mime)


@pytest.mark.parametrize("mime", ["audio/opus", "audio/PCMU"])
async def test_sound_is_encoded_as_aiortc_encodes_it_and_in_no_thread(
    mime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = audio_codec(mime)
    loop = asyncio.get_running_loop()
    run, in_threads = loop.run_in_executor, []

    def noted(*arguments: Any) -> asyncio.Future[Any]:
        in_threads.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(loop, "run_in_executor", noted)
    sent = []
    for change in (lambda _: None, encode_in_place):
        in_threads.clear()
        peer, microphone = RTCPeerConnection(), MicrophoneTrack()
        microphone.speak(np.concatenate([tone(60), silence(60), tone(60, level=50)]))
        sender = peer.addTransceiver(microphone).sender
        change(sender)
        frames = [await sender._next_encoded_frame(codec) for _ in range(9)]
        sent.append([vars(frame) for frame in frames if frame is not None])
        assert bool(in_threads) is (change is not encode_in_place)
        microphone.stop()
        await peer.close()
    if mime == "audio/PCMU":
        assert sent[0] == sent[1]
    else:  # libopus itself holds nothing back
        assert [frame["timestamp"] for frame in sent[1]] == [960 * n for n in range(9)]
        assert [frame["audio_level"] for frame in sent[1]][-len(sent[0]) :] == [
            frame["audio_level"] for frame in sent[0]
        ]
    assert {-15, -127} < {frame["audio_level"] for frame in sent[1]}


@pytest.mark.parametrize("mime", ["audio/opus", "audio/PCMU"])
async def test_packets_are_decoded_where_they_arrive_and_only_the_end_is_left_to_the_thread(
    mime: str, caplog: pytest.LogCaptureFixture
) -> None:
    codec, sound, taken = audio_codec(mime), tone(200), []
    peer, encoder = RTCPeerConnection(RTCConfiguration(iceServers=[])), sound_encoder(codec)
    receiver = peer.addTransceiver("audio").receiver
    decode_in_place(receiver, lambda samples, stamp: taken.append((samples, stamp)))
    packets = receiver._RTCRtpReceiver__decoder_queue
    for n in range(10):
        frame = av.AudioFrame.from_ndarray(sound[None, 960 * n : 960 * (n + 1)], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * n, Fraction(1, 48_000)
        payloads, stamp = encoder.encode(frame)
        for payload in payloads:  # aiortc's encoders hold the first back
            packets.put((codec, JitterFrame(payload, stamp)))
        assert packets.empty()
    for _ in range(3):
        packets.put((codec, JitterFrame(b"", 0)))
    packets.put(None)
    assert packets.get_nowait() is None
    await peer.close()
    decoded = np.concatenate([samples for samples, _ in taken])
    assert decoded.dtype == np.int16
    level = rms(sound[4800:])
    if mime == "audio/opus":
        level /= 2**0.5  # as FFmpeg makes two channels of one
    assert rms(decoded[4800:]) == pytest.approx(level, rel=0.1)
    assert [stamp for _, stamp in taken] == [codec.clockRate // 50 * n for n in range(len(taken))]
    assert len(taken) >= 9
    assert caplog.text.count("could not be decoded") == 1


@pytest.fixture
async def path(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, Any]]:
    """A caller's ICE connection, which checks consent all the time, and its server's."""
    monkeypatch.setattr(aiortc_patches, "CONSENT_EVERY_S", 0.05)
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.createDataChannel("chat")
    keep_consent(peer)
    gather_loopback(peer)
    (connection,) = aiortc_patches._connections(peer)
    server = aioice.Connection(ice_controlling=False, components=1)
    connection.ice_controlling = True
    for one, other in ((connection, server), (server, connection)):
        await one.gather_candidates()
        other.remote_username, other.remote_password = one.local_username, one.local_password
        for candidate in one.local_candidates:
            await other.add_remote_candidate(candidate)
        await other.add_remote_candidate(None)
    await asyncio.gather(connection.connect(), server.connect())
    yield connection, server
    await connection.close()
    await server.close()
    await peer.close()


def protocols(server: Any) -> list[Any]:
    return [pair.protocol for pair in server._nominated.values()]


async def test_a_path_slower_than_aioice_waits_keeps_its_connection(path: tuple[Any, Any]) -> None:
    connection, server = path
    checks: list[bytes] = []
    (protocol,) = protocols(server)

    def late(message: aioice.stun.Message, addr: object, send: Any = protocol.send_stun) -> None:
        checks.append(message.transaction_id)
        asyncio.get_running_loop().call_later(1.2 * aioice.stun.RETRY_RTO, send, message, addr)

    protocol.send_stun = late
    # aioice, which waits half a second for each, gives up after six.
    await until(lambda: len(set(checks)) > 7, 20, what="checks are made")
    assert connection._nominated


async def test_a_server_that_answers_no_check_is_given_up(
    path: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, server = path
    monkeypatch.setattr(aiortc_patches, "CONSENT_REPEATS", 0)
    for protocol in protocols(server):
        protocol.send_stun = lambda message, addr: None
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(connection.recv(), 60)
