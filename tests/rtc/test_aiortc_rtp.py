"""A peer's RTP and RTCP against callers that send whatever they like over it."""

import asyncio
import contextlib
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp
import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from aiortc.rtcrtpreceiver import NackGenerator
from aiortc.rtp import RtcpByePacket, RtcpRtpfbPacket, RtpPacket

from tests.rtc.calling import Call, Leftovers, PictureSource, SoundSource, until
from vision_agent.rtc import aiortc_patches, aiortc_rtp
from vision_agent.rtc.aiortc_rtp import (
    MAX_ROUTES,
    MAX_STREAMS,
    BoundedNackGenerator,
    BoundedReceiver,
    BoundedSession,
    BoundedStreamStatistics,
    StrictRtcpPacket,
    StrictRtpPacket,
)

OPUS_SILENCE = b"\xf8\xff\xfe"


def numbered(sequence: int, timestamp: int = 0) -> RtpPacket:
    return RtpPacket(sequence_number=sequence & 0xFFFF, timestamp=timestamp & 0xFFFFFFFF)


def test_a_few_lost_packets_are_asked_for_as_aiortc_does():
    ours, theirs = BoundedNackGenerator(), NackGenerator()
    rng = random.Random(2)
    sequence = 65_500
    for _ in range(2000):
        sequence += rng.choice([1, 1, 1, 2, 5, 100, -3])
        assert ours.add(numbered(sequence)) == theirs.add(numbered(sequence))
        assert ours.missing == theirs.missing


@pytest.mark.parametrize("jump", [129, 1000, 32_000, 32_768, -200, -32_000])
def test_a_jump_in_the_sequence_is_a_sender_that_started_anew(jump: int):
    nack = BoundedNackGenerator()
    nack.add(numbered(10))
    nack.add(numbered(12))
    assert not nack.add(numbered(12 + jump))
    assert nack.missing == set()
    assert nack.add(numbered(12 + jump + 2))
    assert nack.missing == {(12 + jump + 1) & 0xFFFF}


def test_the_figures_of_a_report_fit_its_fields_whatever_the_clock_does():
    statistics = BoundedStreamStatistics(90_000)
    rng = random.Random(4)
    for _ in range(5000):
        statistics.add(numbered(rng.getrandbits(16), rng.choice([0, 0xFFFFFFFF])))
        assert 0 <= statistics.jitter <= 0xFFFFFFFF
        assert 0 <= statistics.fraction_lost <= 255


@pytest.mark.parametrize("parse", [StrictRtpPacket.parse, StrictRtcpPacket.parse])
def test_any_bytes_are_a_packet_or_a_value_error(parse: Callable[[bytes], object]):
    rng = random.Random(5)
    for _ in range(20_000):
        data = bytearray(rng.randbytes(rng.randint(0, 60)))
        if data:
            data[0] = 0x80 | data[0] & 0x3F
        if len(data) > 13 and rng.random() < 0.5:
            data[1] = rng.randint(200, 207)
        with contextlib.suppress(ValueError):
            parse(bytes(data))


@dataclass
class Line:
    """A connected call with sound and pictures, whose media is made by hand."""

    call: Call
    sound_type: int
    picture_type: int

    sent: int = 0

    async def send(self, packet: bytes) -> None:
        with contextlib.suppress(pylibsrtp.Error):  # libsrtp itself refuses to send some
            await self.call.caller.getTransceivers()[0].sender.transport._send_rtp(packet)
        self.sent += 1
        if self.sent % 20 == 0:
            # The receiver runs on the same event loop, and a socket's buffer is small.
            await asyncio.sleep(0.002)

    async def sound(self, sequence: int, ssrc: int = 1, payload: bytes = OPUS_SILENCE) -> None:
        head = (0x80, self.sound_type, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, ssrc)
        await self.send(struct.pack("!BBHII", *head) + payload)

    async def picture(self, sequence: int, payload: bytes, ssrc: int = 2) -> None:
        head = (0x80, self.picture_type, sequence & 0xFFFF, sequence * 3000 & 0xFFFFFFFF, ssrc)
        await self.send(struct.pack("!BBHII", *head) + payload)

    def receiver(self, kind: str) -> BoundedReceiver:
        transceivers = self.call.peer._pc.getTransceivers()
        found = next(t.receiver for t in transceivers if t.kind == kind)
        assert isinstance(found, BoundedReceiver)
        return found

    def streams(self, kind: str) -> dict[int, object]:
        return getattr(self.receiver(kind), aiortc_rtp._STREAMS)

    def router(self) -> aiortc_rtp.BoundedRouter:
        return self.receiver("audio").transport._rtp_router


class Nothing(SoundSource):
    """Sends nothing."""

    async def recv(self) -> object:
        return await asyncio.Event().wait()


class NoPictures(PictureSource):
    async def recv(self) -> object:
        return await asyncio.Event().wait()


@pytest.fixture
async def line(call: Call) -> Line:
    call.caller.addTrack(Nothing())
    call.caller.addTrack(NoPictures())
    await call.connect()
    types = {
        codec.mimeType: codec.payloadType
        for transceiver in call.caller.getTransceivers()
        for codec in reversed(transceiver._codecs)
    }
    return Line(call, types["audio/opus"], types["video/VP8"])


async def still_hears(line: Line) -> None:
    before = line.receiver("audio").failures
    for n in range(500):
        await line.sound(n, ssrc=99)
        await asyncio.sleep(0.01)
        if 99 in line.streams("audio"):
            break
    assert 99 in line.streams("audio")
    await asyncio.wait_for(line.call.heard[0].recv(), 5)
    assert line.receiver("audio").failures == before
    assert not line.call.listener.closed


async def test_sources_without_number_are_few_in_memory_and_in_reports(line: Line):
    for n in range(2000):
        await line.sound(n, ssrc=1000 + n)
    await until(lambda: max(line.streams("audio"), default=0) > 2900)
    assert len(line.streams("audio")) <= MAX_STREAMS
    assert len(line.router().ssrc_table) <= MAX_ROUTES + 8
    assert len(line.receiver("audio").transport._rx_srtp._sources) <= MAX_ROUTES
    await still_hears(line)


async def test_a_source_that_changes_now_and_then_is_always_heard(line: Line):
    for n in range(40):
        await line.sound(n, ssrc=500 + n // 4)
        await until(lambda n=n: 500 + n // 4 in line.streams("audio"))
    assert max(line.streams("audio")) == 509


async def test_a_call_with_300_sources_closes_at_once_and_leaves_no_task():
    before = Leftovers()
    call = Call()
    call.caller.addTrack(Nothing())
    await call.connect()
    line = Line(call, call.caller.getTransceivers()[0]._codecs[0].payloadType, 0)
    reports = []
    receiver = line.receiver("audio")
    send = receiver._send_rtcp

    async def reporting(packet: object) -> None:
        reports.append(packet)
        await send(packet)

    receiver._send_rtcp = reporting
    for n in range(300):
        await line.sound(n, ssrc=1000 + n)
    await until(lambda: reports, what="a report about all of them was sent")
    await asyncio.wait_for(call.peer.close(), 3)  # closing gives up after five
    await call.close()
    await before.nothing()


async def test_a_report_that_cannot_be_made_does_not_end_the_reports(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(asyncio, "sleep", lambda _delay, sleep=asyncio.sleep: sleep(0.01))
    await line.sound(1)
    await until(lambda: line.streams("audio"))
    line.streams("audio")[1].max_seq = "none"
    await until(lambda: line.receiver("audio").failures > 2)
    assert caplog.text.count("A receiver report could not be made.") == 1
    line.streams("audio").clear()
    reports: list[object] = []

    async def reporting(packet: object) -> None:
        reports.append(packet)

    line.receiver("audio")._send_rtcp = reporting
    await line.sound(2)
    await until(lambda: reports)


@pytest.mark.parametrize("jump", [129, 511, 513, 32_000])
async def test_pictures_whose_numbers_jump_ask_for_nothing_again(line: Line, jump: int):
    asked = []
    receiver = line.receiver("video")

    async def asking(ssrc: int, lost: list[int]) -> None:
        asked.extend(lost)

    receiver._send_rtcp_nack = asking
    for n in range(200):
        await line.picture(n * jump, b"\x90\x80\x01\x9d\x01\x2a")
    await until(lambda: receiver_count(line) >= 190)
    assert asked == []


def receiver_count(line: Line) -> int:
    return sum(s.packets_received for s in line.streams("video").values())


async def test_one_request_for_thousands_of_packets_is_answered_with_a_few(line: Line):
    sender = line.call.peer._pc.getTransceivers()[0].sender
    sent = []
    send = sender.transport._send_rtp

    async def counting(data: bytes) -> None:
        sent.append(data)
        await send(data)

    sender.transport._send_rtp = counting
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


async def test_random_rtp_ends_neither_the_call_nor_a_task_of_it(line: Line):
    rng = random.Random(11)
    tasks = {task for task in asyncio.all_tasks() if not task.done()}
    for n in range(3000):
        kind = rng.choice([line.sound_type, line.picture_type, rng.randint(0, 127)])
        first = 0x80 | rng.choice([0, 0, rng.getrandbits(6)])
        head = struct.pack(
            "!BBHII",
            first,
            rng.getrandbits(1) << 7 | kind,
            rng.choice([n & 0xFFFF, rng.getrandbits(16)]),
            rng.choice([n * 3000, rng.getrandbits(32)]) & 0xFFFFFFFF,
            rng.choice([1, 2, rng.getrandbits(32)]),
        )
        extension = struct.pack("!HH", 0xBEDE, rng.randint(0, 4)) if first & 0x10 else b""
        await line.send(head + extension + rng.randbytes(rng.randint(0, 120)))
    await still_hears(line)
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    assert [task for task in ended if task.exception() is not None] == []


async def test_random_rtcp_ends_neither_the_call_nor_a_task_of_it(line: Line):
    rng = random.Random(13)
    own = [t.sender._ssrc for t in line.call.peer._pc.getTransceivers()]
    for _ in range(3000):
        body = struct.pack("!II", rng.choice([1, 2]), rng.choice(own))
        body += rng.choice([b"", b"REMB\xff\0\0\0", rng.randbytes(4 * rng.randint(0, 30))])
        kind = rng.choice([200, 201, 202, 205, 206, 207])
        size = rng.choice([len(body) // 4, rng.randint(0, 40)])
        await line.send(struct.pack("!BBH", 0x80 | rng.getrandbits(6), kind, size) + body)
    await line.send(bytes(RtcpByePacket([12345])))
    await still_hears(line)
    streams = getattr(line.receiver("audio"), aiortc_rtp._REPORTED[0])
    assert len(streams) <= MAX_ROUTES


def test_the_packets_that_are_read_are_aiortcs_own():
    packet = StrictRtpPacket.parse(bytes(RtpPacket(payload=b"x").serialize()))
    assert packet.payload == b"x"
    assert isinstance(StrictRtcpPacket.parse(bytes(RtcpByePacket([1])))[0], RtcpByePacket)


def test_a_source_in_use_is_decrypted_on_after_any_number_of_others():
    key = bytes(30)
    outbound = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    inbound = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND)
    sender, receiver = pylibsrtp.Session(outbound), BoundedSession(inbound)
    removed: list[int] = []
    remove = receiver.remove_stream
    receiver.remove_stream = lambda ssrc: (removed.append(ssrc), remove(ssrc))
    # Past the end of the 16 bits: without its rollover counter no packet could be read.
    for n in range(0, 140_000, 70):
        for ssrc in (7, 1000 + n):
            packet = RtpPacket(sequence_number=n & 0xFFFF, ssrc=ssrc, payload=b"x").serialize()
            assert receiver.unprotect(sender.protect(packet)) == packet
        sender.remove_stream(1000 + n)
    assert 7 not in removed
    assert len(removed) > 1900


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
