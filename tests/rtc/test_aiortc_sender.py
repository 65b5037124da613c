"""The packets that a peer is sent, and its requests for retransmission."""

import struct
import time

import pytest

from tests.rtc.by_hand import Line, still_hears
from tests.rtc.calling import Call, Leftovers, SoundSource
from tests.support.waiting import until
from vision_agent.rtc import aiortc_patches
from vision_agent.rtc.aiortc_sender import BoundedSender
from vision_agent.rtc.own.aiortc import RTCPeerConnection
from vision_agent.rtc.own.aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from vision_agent.rtc.own.aiortc.rtp import RtcpRtpfbPacket, RtcpSrPacket, RtpPacket, is_rtcp


def sender_of(call: Call) -> BoundedSender:
    sender = call.peer._pc.getTransceivers()[0].sender
    assert isinstance(sender, BoundedSender)
    return sender


def watch_sent(sender: BoundedSender) -> list[bytes]:
    """Record the packets that the sender's transport sends from now on, before encryption."""
    sent: list[bytes] = []
    send = sender.transport.send_now

    def watching(data: bytes) -> None:
        sent.append(data)
        send(data)

    sender.transport.send_now = watching
    return sent


async def test_the_voice_leaves_in_packets_that_aiortc_reads(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    sender = sender_of(call)
    sent = watch_sent(sender)
    await until(lambda: len(sent) > 10)
    extensions = sender.transport._rtp_header_extensions_map
    packets = [RtpPacket.parse(data, extensions) for data in sent if not is_rtcp(data)]
    first = packets[0]
    assert {packet.extensions.mid for packet in packets} == {"0"}
    assert {packet.ssrc for packet in packets} == {sender._ssrc}
    assert {packet.marker for packet in packets} == {1}
    for n, packet in enumerate(packets):
        assert packet.sequence_number == (first.sequence_number + n) & 0xFFFF
        assert packet.timestamp == (first.timestamp + 960 * n) & 0xFFFFFFFF


async def test_a_sender_report_tells_what_was_sent(call: Call, monkeypatch):
    call.caller.addTrack(SoundSource())
    await call.connect()
    sender = sender_of(call)
    sent = watch_sent(sender)
    await until(lambda: any(data[1] == 200 for data in sent))
    report = next(data for data in sent if data[1] == 200)
    size = 4 * (struct.unpack_from("!H", report, 2)[0] + 1)
    info = RtcpSrPacket.parse(report[4:size], 0).sender_info
    before = [data for data in sent[: sent.index(report)] if not is_rtcp(data)]
    assert info.rtp_timestamp == struct.unpack_from("!I", before[-1], 4)[0]
    assert info.packet_count >= len(before)
    assert abs((info.ntp_timestamp >> 32) - 2_208_988_800 - time.time()) < 10


async def test_a_voice_that_is_being_sent_is_not_replaced(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    sender = sender_of(call)
    sent = watch_sent(sender)
    await until(lambda: len(sent) > 5)
    with pytest.raises(RuntimeError, match="can't be replaced"):
        sender.replaceTrack(SoundSource())
    already = len(sent)
    await until(lambda: len(sent) > already + 5)


async def test_a_packet_that_is_asked_for_again_is_sent_again_as_it_was(call: Call):
    call.caller.addTrack(SoundSource())
    await call.connect()
    sender = sender_of(call)
    sent = watch_sent(sender)
    await until(lambda: len(sent) > 5)
    lost = next(data for data in sent if not is_rtcp(data))
    await sender._retransmit(struct.unpack_from("!H", lost, 2)[0])
    assert sent.count(lost) == 2
    already = len(sent)
    await sender._retransmit((struct.unpack_from("!H", lost, 2)[0] - 128) & 0xFFFF)
    assert len(sent) == already  # too old: another packet has taken its place


async def test_one_request_for_thousands_of_packets_is_answered_with_a_few(line: Line):
    sender = sender_of(line.call)
    sent = watch_sent(sender)
    await until(lambda: len(sent) > 20, what="the voice is sent")
    sequence = struct.unpack_from("!H", sent[-1], 2)[0]
    request = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=sender._ssrc)
    request.lost = [0]
    body = bytes(request)[:12] + struct.pack("!HH", sequence & 0xFFF0, 0xFFFF) * 330
    already = len(sent)
    for _ in range(20):
        await line.send(body[:2] + struct.pack("!H", len(body) // 4 - 1) + body[4:])
    await still_hears(line)
    assert len(sent) - already < 600


async def test_media_that_is_started_after_its_connection_was_closed_does_not_start():
    aiortc_patches.install()
    leftovers = Leftovers()
    pc = RTCPeerConnection()
    transceiver = pc.addTransceiver("audio")
    await transceiver.stop()
    opus = RTCRtpCodecParameters("audio/opus", clockRate=48000, channels=2, payloadType=96)
    await transceiver.sender.send(RTCRtpSendParameters(codecs=[opus]))
    await transceiver.receiver.receive(RTCRtpReceiveParameters(codecs=[opus]))
    await pc.close()
    await leftovers.nothing()
