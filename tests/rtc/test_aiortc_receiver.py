"""A receiver takes whatever packets a peer sends."""

import asyncio
import random
import struct

import pytest

from tests.rtc.by_hand import VP8_KEY_FRAME, Line, Nothing, still_hears
from tests.rtc.calling import Call, Leftovers
from tests.support.waiting import until
from vision_agent.rtc.aiortc_receiver import (
    DECODER_ERROR,
    LAYER_GONE_S,
    BoundedNackGenerator,
    BoundedReceiver,
    BoundedStreamStatistics,
    FixedBitrate,
)
from vision_agent.rtc.jitter_buffer import Encoded
from vision_agent.rtc.own.aiortc.rtcrtpreceiver import NackGenerator, StreamStatistics
from vision_agent.rtc.own.aiortc.rtp import RTCP_PSFB_PLI, RtpPacket


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
        packet = numbered(rng.getrandbits(16), rng.choice([0, 0xFFFFFFFF]))
        statistics.count(packet, rng.random() * 1e6)
        assert 0 <= statistics.jitter <= 0xFFFFFFFF
        assert 0 <= statistics.fraction_lost <= 255


def test_packets_are_counted_as_aiortc_does(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = BoundedStreamStatistics(90_000), StreamStatistics(90_000)
    rng = random.Random(7)
    sequence, now_s = 65_000, 50.0
    for _ in range(3000):
        sequence += rng.choice([1, 1, 1, 1, 3, -2])
        now_s += rng.random() / 10
        packet = numbered(sequence, sequence * 3000)
        monkeypatch.setattr("time.time", lambda now_s=now_s: now_s)
        theirs.add(packet)
        ours.count(packet, now_s)
        for figure in ("base_seq", "max_seq", "cycles", "packets_received", "_jitter_q4"):
            assert getattr(ours, figure) == getattr(theirs, figure)


def test_the_bit_rate_is_said_once_a_second_for_all_streams():
    bitrate = FixedBitrate()
    said = []
    for n in range(500):
        if ssrcs := bitrate.add(1 + n % 2, n / 100):
            said.append((n / 100, ssrcs))
    assert [at for at, _ in said] == [0, 1, 2, 3, 4]
    assert said[-1][1] == [1, 2]


def test_the_streams_of_a_bit_rate_are_bounded():
    bitrate = FixedBitrate()
    for ssrc in range(1000):
        bitrate.add(ssrc, 0)
    assert len(bitrate.add(1, 10)) <= 8


class Decoder:
    """Takes a decoder queue's place, and records the encoded frames."""

    def __init__(self, receiver: BoundedReceiver) -> None:
        self.given: list[Encoded] = []
        receiver._decoder_queue = self

    def put(self, task: tuple[object, Encoded]) -> None:
        self.given.append(task[1])


async def test_sound_is_not_held_back_as_stock_aiortc_does(line: Line):
    decoder = Decoder(line.receiver("audio"))
    for n in range(4):  # stock aiortc waits for a fifth packet
        await line.sound(n)
        await until(lambda n=n: len(decoder.given) == n + 1)
    assert [encoded.timestamp for encoded in decoder.given] == [0, 960, 1920, 2880]


async def test_of_layers_that_arrive_together_one_is_watched_until_it_ends(line: Line):
    receiver = line.receiver("video")
    assert [receiver._is_of_the_layer(ssrc, 10.0) for ssrc in (1, 2, 1, 2)] == [
        True, False, True, False,
    ]  # fmt: skip
    assert not receiver._is_of_the_layer(2, 11.9)
    assert receiver._is_of_the_layer(2, 12.1)
    assert not receiver._is_of_the_layer(1, 12.2)


async def test_the_next_layer_is_no_part_of_the_last_although_its_numbers_are_just_before(
    line: Line,
):
    receiver = line.receiver("video")
    decoder = Decoder(receiver)
    await line.frame(1000, VP8_KEY_FRAME, ssrc=1, last=True)
    await until(lambda: len(decoder.given) == 1)
    receiver._layer_at_s -= LAYER_GONE_S
    await line.frame(990, VP8_KEY_FRAME, ssrc=2, last=True)
    await until(lambda: len(decoder.given) == 2)
    assert [encoded.after_loss for encoded in decoder.given] == [False, True]


async def test_a_frame_is_handed_over_with_its_marker(line: Line):
    decoder = Decoder(line.receiver("video"))
    await line.frame(0, VP8_KEY_FRAME, last=True)  # stock aiortc waits for the next frame
    await until(lambda: decoder.given)
    assert decoder.given[0].data == VP8_KEY_FRAME[1:]


async def test_frames_that_become_whole_together_are_handed_over_together(line: Line):
    decoder = Decoder(line.receiver("audio"))
    for n in (0, 2, 1, 3):
        await line.sound(n)
    await until(lambda: len(decoder.given) == 4)
    assert [encoded.timestamp for encoded in decoder.given] == [0, 960, 1920, 2880]


async def test_a_lost_packet_is_asked_for_and_a_retransmission_takes_its_place(line: Line):
    receiver = line.receiver("video")
    decoder = Decoder(receiver)
    asked: list[int] = []
    receiver._ask_again = lambda ssrc, lost: asked.extend(lost)
    transceiver = next(t for t in line.call.caller.getTransceivers() if t.kind == "video")
    sender = transceiver.sender
    rtx_type = next(c.payloadType for c in transceiver._codecs if c.name == "rtx")
    await line.frame(0, VP8_KEY_FRAME, ssrc=sender._ssrc, last=True)
    await line.frame(2, b"\x10\x01second", ssrc=sender._ssrc, last=True)
    await until(lambda: asked == [1])
    head = struct.pack("!BBHII", 0x80, 0x80 | rtx_type, 9, 3000, sender._rtx_ssrc)
    await line.send(head + struct.pack("!H", 1) + b"\x10\x01first")
    await until(lambda: len(decoder.given) == 3)
    assert [encoded.data[1:] for encoded in decoder.given[1:]] == [b"first", b"second"]
    assert [encoded.timestamp for encoded in decoder.given] == [0, 3000, 6000]


async def test_a_broken_frame_asks_for_a_key_frame(line: Line):
    receiver = line.receiver("video")
    sent: list[object] = []
    receiver._send_now = sent.append
    getattr(receiver, DECODER_ERROR).set()
    await line.frame(0, VP8_KEY_FRAME, last=True)
    await until(lambda: any(getattr(p, "fmt", None) == RTCP_PSFB_PLI for p in sent))


async def test_a_packet_that_cannot_be_handled_is_logged_once(line: Line, caplog):
    receiver = line.receiver("audio")

    def broken(*args: object) -> None:
        raise LookupError("a bug below")

    add, receiver._sound.add = receiver._sound.add, broken
    for n in range(3):
        await line.sound(n)
    await until(lambda: receiver.failures == 3)
    assert caplog.text.count("An RTP packet could not be handled.") == 1
    receiver._sound.add = add
    await still_hears(line)


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
async def test_frames_whose_numbers_jump_ask_for_nothing_again(line: Line, jump: int):
    asked = []
    receiver = line.receiver("video")

    receiver._ask_again = lambda ssrc, lost: asked.extend(lost)
    for n in range(200):
        await line.frame(n * jump, b"\x90\x80\x01\x9d\x01\x2a")
    await until(lambda: receiver_count(line) >= 190)
    assert asked == []


def receiver_count(line: Line) -> int:
    return sum(s.packets_received for s in line.streams("video").values())
