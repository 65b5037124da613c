"""A peer's RTP and RTCP with callers that send arbitrary packets."""

import asyncio
import contextlib
import random
import struct
from collections.abc import Callable

import pylibsrtp
import pytest

from tests.rtc.by_hand import Line, still_hears
from tests.support.waiting import until
from vision_agent.rtc import aiortc_receiver
from vision_agent.rtc.aiortc_receiver import MAX_STREAMS
from vision_agent.rtc.aiortc_rtp import (
    MAX_ROUTES,
    BoundedSession,
    StrictRtcpPacket,
    StrictRtpPacket,
)
from vision_agent.rtc.own.aiortc.rtp import RtcpByePacket, RtpPacket


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


async def test_sources_without_number_are_few_in_memory_and_in_reports(line: Line):
    for n in range(2000):
        await line.sound(n, ssrc=1000 + n)

    async def last_is_received() -> bool:
        # A busy machine drops datagrams.
        await line.sound(2000, ssrc=3000)
        return 3000 in line.streams("audio")

    await until(last_is_received)
    assert len(line.streams("audio")) <= MAX_STREAMS
    assert len(line.router().ssrc_table) <= MAX_ROUTES + 8
    assert len(line.receiver("audio").transport._rx_srtp._sources) <= MAX_ROUTES
    await still_hears(line)


async def test_a_source_that_changes_now_and_then_is_always_heard(line: Line):
    for n in range(40):
        await line.sound(n, ssrc=500 + n // 4)
        await until(lambda n=n: 500 + n // 4 in line.streams("audio"))
    assert max(line.streams("audio")) == 509


async def test_random_rtp_ends_neither_the_call_nor_a_task_of_it(line: Line):
    rng = random.Random(11)
    tasks = {task for task in asyncio.all_tasks() if not task.done()}
    for n in range(3000):
        kind = rng.choice([line.sound_type, line.video_type, rng.randint(0, 127)])
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
    streams = getattr(line.receiver("audio"), aiortc_receiver.REPORTED[0])
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
    # The 16-bit sequence numbers wrap: without the rollover counter no packet could be decrypted.
    for n in range(0, 140_000, 70):
        for ssrc in (7, 1000 + n):
            packet = RtpPacket(sequence_number=n & 0xFFFF, ssrc=ssrc, payload=b"x").serialize()
            assert receiver.unprotect(sender.protect(packet)) == packet
        sender.remove_stream(1000 + n)
    assert 7 not in removed
    assert len(removed) > 1900
