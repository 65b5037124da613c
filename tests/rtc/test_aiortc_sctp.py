"""A peer's SCTP association with callers that send arbitrary packets."""

import asyncio
import random
import struct
from dataclasses import dataclass, field

import pytest
from google_crc32c import value as crc32c

from tests.rtc.calling import Call, SoundSource
from tests.support.waiting import until
from vision_agent.rtc import aiortc_sctp, failures
from vision_agent.rtc.aiortc_sctp import MAX_CONTROL_CHUNKS, BoundedSctpTransport
from vision_agent.rtc.channel import Channel
from vision_agent.rtc.outbox import MAX_BUFFERED_BYTES
from vision_agent.rtc.own.aiortc import RTCDataChannel
from vision_agent.rtc.own.aiortc.rtcsctptransport import (
    DataChunk,
    ForwardTsnChunk,
    InitChunk,
    ReconfigChunk,
    RTCSctpTransport,
    SackChunk,
    StreamResetOutgoingParam,
    decode_params,
    tsn_plus_one,
)
from vision_agent.rtc.sctp_reassembly import MAX_FRAGMENTS, MAX_MESSAGE_BYTES, MAX_STREAMS

FIRST, LAST, UNORDERED = 2, 1, 4


@dataclass
class Line:
    """A connected call with an open data channel."""

    call: Call
    channel: RTCDataChannel
    first_tsn: int
    got: list[str] = field(default_factory=list)

    @property
    def caller(self) -> RTCSctpTransport:
        return self.call.caller.sctp

    @property
    def server(self) -> BoundedSctpTransport:
        return self.call.peer._pc.sctp

    async def send(self, *chunks: object, tag: int | None = None) -> None:
        """Send one packet of chunks, or of bytes in their place."""
        body = b"".join(bytes(chunk) + bytes(-len(bytes(chunk)) % 4) for chunk in chunks)
        sctp = self.caller
        tag = sctp._remote_verification_tag if tag is None else tag
        head = struct.pack("!HHL", sctp._local_port, sctp._remote_port, tag)
        checksum = crc32c(head + bytes(4) + body)
        await sctp.transport._send_data(head + struct.pack("<L", checksum) + body)

    def chunk(self, data: bytes = b"a", flags: int = FIRST | LAST, **fields: int) -> DataChunk:
        chunk = DataChunk(flags)
        chunk.tsn, chunk.user_data = self.caller._local_tsn, data
        chunk.stream_id = self.channel.id
        chunk.protocol = 51
        self.caller._local_tsn = tsn_plus_one(chunk.tsn)
        for name, value in fields.items():
            setattr(chunk, name, value)
        return chunk

    async def still_works(self) -> None:
        self.channel.send("still here")
        await until(lambda: "still here" in self.got, what="the channel still works")
        assert not self.call.listener.closed


@pytest.fixture
async def line(call: Call) -> Line:
    call.caller.addTrack(SoundSource())
    channel = call.caller.createDataChannel("chat")
    first_tsn = call.caller.sctp._local_tsn
    await call.connect()
    await until(lambda: call.listener.channels and channel.readyState == "open")
    line = Line(call, channel, first_tsn)
    call.listener.channels[0].on("message", line.got.append)
    return line


async def test_messages_of_every_size_arrive_whole_and_in_order(line: Line):
    sizes = [1, 1100, 1161, 5000, 100_000, MAX_MESSAGE_BYTES, 3]
    for n, size in enumerate(sizes):
        line.channel.send(chr(97 + n) * size)
    await until(lambda: len(line.got) == len(sizes))
    assert line.got == [chr(97 + n) * size for n, size in enumerate(sizes)]


async def test_messages_arrive_over_a_line_that_loses_and_reorders(line: Line):
    rng = random.Random(3)
    transport = line.caller.transport
    send, held = transport._send_data, []

    async def badly(data: bytes) -> None:
        fate = rng.random()
        if fate < 0.1:
            return
        held.append(data)
        if fate > 0.4:
            rng.shuffle(held)
            while held:
                await send(held.pop())

    transport._send_data = badly
    texts = [f"{n}" * rng.randint(1, 3000) for n in range(40)]
    for text in texts:
        line.channel.send(text)
    await until(lambda: len(line.got) == len(texts), 30)
    transport._send_data = send
    assert line.got == texts


async def test_an_init_that_arrives_late_changes_nothing(line: Line):
    await line.still_works()
    init = InitChunk()
    init.initiate_tag, init.initial_tsn = line.caller._local_verification_tag, line.first_tsn
    init.advertised_rwnd, init.outbound_streams, init.inbound_streams = 100_000, 10, 10
    await line.send(init, tag=0)
    line.got.clear()
    await line.still_works()
    await until(lambda: not line.caller._sent_queue, what="everything is acknowledged")
    assert not line.server.bad_packets


@pytest.mark.parametrize("at_once", [1, 2])
async def test_a_flood_of_inits_changes_nothing_and_is_one_line_of_the_log(
    line: Line, at_once: int, caplog: pytest.LogCaptureFixture
):
    await line.still_works()
    rng, dropped = random.Random(1), failures.dropped_datagrams
    with caplog.at_level("WARNING"):
        for _ in range(200):
            init = InitChunk()
            init.initiate_tag, init.initial_tsn = rng.getrandbits(32), rng.getrandbits(32)
            init.advertised_rwnd, init.outbound_streams, init.inbound_streams = 100_000, 0, 0
            await line.send(*[init] * at_once, tag=0)
            await asyncio.sleep(0)
        await until(lambda: line.server.bad_packets > 100)
        line.got.clear()
        await line.still_works()
    assert failures.dropped_datagrams - dropped >= line.server.bad_packets
    (record,) = [r for r in caplog.records if r.name.startswith("vision_agent")]
    assert not record.exc_info
    assert "not valid SCTP" in record.getMessage()


async def test_a_tsn_too_far_ahead_for_a_sack_is_not_acknowledged(line: Line):
    await line.still_works()
    await line.send(line.chunk(tsn=(line.caller._local_tsn + 100_000) & 0xFFFFFFFF))
    line.caller._local_tsn = (line.caller._local_tsn - 1) & 0xFFFFFFFF
    line.got.clear()
    await line.still_works()
    await until(lambda: not line.caller._sent_queue, what="everything is acknowledged")
    assert not line.server.bad_packets


@pytest.mark.parametrize("flags", [0, UNORDERED], ids=["ordered", "unordered"])
async def test_a_message_that_never_ends_closes_the_channel_with_a_reason(
    line: Line, flags: int, caplog: pytest.LogCaptureFixture
):
    first = FIRST
    for _ in range(40):
        await line.send(*(line.chunk(flags=flags | first * (n == 0)) for n in range(50)))
        first = 0
    await until(lambda: line.channel.readyState == "closed")
    await until(lambda: line.call.listener.channels[0].readyState == "closed")
    assert line.server._reassembly.waiting_fragments <= MAX_FRAGMENTS + 1
    assert "a message has more than 256 KB" in caplog.text
    assert not line.call.listener.closed  # the voice goes on


async def test_gaps_that_are_never_closed_hold_a_bounded_number_of_fragments(line: Line):
    for _ in range(60):
        chunks = [line.chunk(flags=FIRST) for _ in range(100)]
        await line.send(*chunks[1::2])
    await until(lambda: len(line.server._sack_misordered) >= MAX_FRAGMENTS)
    assert line.server._reassembly.waiting_fragments == MAX_FRAGMENTS
    assert len(line.server._sack_misordered) == MAX_FRAGMENTS


async def test_thousands_of_channels_cost_a_bounded_number_and_the_first_stays(line: Line):
    opening = struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"x"
    for n in range(0, 2000, 20):
        await line.send(
            *(line.chunk(opening, protocol=50, stream_id=2 * (n + m) + 3) for m in range(20))
        )
    await until(lambda: line.server._last_received_tsn == line.caller._local_tsn - 1)
    assert len(line.server._data_channels) <= MAX_STREAMS
    await line.still_works()


async def test_duplicates_are_not_delivered_again(line: Line):
    chunk = line.chunk(b"once")
    for _ in range(5):
        await line.send(*[chunk] * 40)
    await line.send(line.chunk(b"after", stream_seq=1))
    await until(lambda: "after" in line.got)
    assert line.got == ["once", "after"]


async def test_forward_tsn_floods_cost_nothing_lasting(line: Line):
    for _ in range(50):
        forward = ForwardTsnChunk()
        forward.cumulative_tsn = tsn_plus_one(line.caller._local_tsn)
        line.caller._local_tsn = tsn_plus_one(forward.cumulative_tsn)
        forward.streams = [(stream_id, 0) for stream_id in range(200, 450)]
        await line.send(forward)
    await until(lambda: line.server._last_received_tsn == line.caller._local_tsn - 1)
    assert len(line.server._reassembly._streams) <= MAX_STREAMS
    await line.still_works()


async def test_a_packet_is_answered_a_few_times_however_many_chunks_it_has(line: Line):
    sent = []
    send = line.server.transport._send_data

    async def counting(data: bytes) -> None:
        sent.append(data)
        await send(data)

    line.server.transport._send_data = counting
    requests = []
    for n in range(15):
        chunk = ReconfigChunk()
        request = StreamResetOutgoingParam(1000 + n, 0, line.caller._local_tsn - 1, [700])
        chunk.params = [(13, bytes(request))] * 3
        requests.append(chunk)
    await line.send(*requests)
    await line.send(*[b"\4\0\0\4"] * 280)  # heartbeats
    await line.still_works()
    assert 2 <= len(sent) < 5 * MAX_CONTROL_CHUNKS


async def test_gap_blocks_are_read_only_as_far_as_something_was_sent(line: Line):
    sack = SackChunk()
    sack.cumulative_tsn = line.server._local_tsn - 1
    sack.advertised_rwnd, sack.gaps = 1000, [(1, 65_535)] * 280
    seen: list[list[tuple[int, int]]] = []
    stock = RTCSctpTransport._receive_sack_chunk

    async def looking(self: RTCSctpTransport, chunk: SackChunk) -> None:
        seen.append(chunk.gaps)
        await stock(self, chunk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RTCSctpTransport, "_receive_sack_chunk", looking)
        await line.send(sack)
        await until(lambda: seen)
    assert seen[0] == []
    await line.still_works()


async def test_an_acknowledgement_of_what_was_never_sent_is_ignored(line: Line):
    sack = SackChunk()
    sack.cumulative_tsn = line.server._local_tsn + 1000
    await line.send(sack)
    line.call.listener.channels[0].send("to the caller")
    got: list[str] = []
    line.channel.on("message", got.append)
    await until(lambda: got)
    await until(lambda: not line.server._sent_queue)


def test_a_parameter_without_a_length_is_an_error_and_not_endless():
    with pytest.raises(ValueError, match="length of 0"):
        aiortc_sctp.decode_params(bytes(8))
    params = struct.pack("!HH5s3x", 7, 9, b"value") + struct.pack("!HH", 9, 4)
    assert aiortc_sctp.decode_params(params) == decode_params(params) == [(7, b"value"), (9, b"")]


MALFORMED = {
    "a short acknowledgement": bytes([3, 0, 0, 8]) + bytes(4),
    "an acknowledgement that claims more blocks than it has": bytes([3, 0, 0, 16])
    + struct.pack("!LLHH", 0, 0, 9000, 9000),
    "an acknowledgement whose block ends before it begins": bytes([3, 0, 0, 20])
    + struct.pack("!LLHHHH", 0, 0, 1, 0, 9, 2),
    "a heartbeat whose parameter has no length": bytes([4, 0, 0, 12]) + bytes(8),
    "a short stream reset": bytes([130, 0, 0, 10]) + struct.pack("!HHH", 13, 6, 1),
    "an odd forward TSN": bytes([192, 0, 0, 10]) + b"\x7f\xff\xff\xff\0\1",
    "a short data chunk": bytes([0, 3, 0, 8]) + bytes(4),
    "two handshakes at once": (bytes([1, 0, 0, 20]) + bytes(16)) * 2,
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_a_malformed_packet_is_dropped_and_the_channel_goes_on(line: Line, what: str):
    await line.send(MALFORMED[what])
    await line.still_works()


async def test_a_channel_opened_twice_is_no_reason_to_end_the_call(line: Line):
    opening = struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"x"
    broken = struct.pack("!BBHLHH", 3, 0, 0, 0, 2, 0) + b"\xff\xfe"
    seq = line.caller._outbound_stream_seq.get(line.channel.id, 0)
    for n, data in enumerate((opening, broken, b"\2")):
        await line.send(line.chunk(data, protocol=50, stream_seq=seq + n))
    await until(lambda: line.server._last_received_tsn == line.caller._local_tsn - 1)
    assert not line.call.listener.closed


async def test_random_packets_end_neither_the_call_nor_a_task_of_it(line: Line):
    rng = random.Random(7)
    for _ in range(400):
        kind = rng.choice([0, 0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 130, 192, 255])
        body = rng.randbytes(rng.randint(0, 60))
        chunk = struct.pack("!BBH", kind, rng.randint(0, 7), len(body) + 4) + body
        await line.send(*[chunk] * rng.randint(1, 4))
    await asyncio.sleep(0)
    heard = line.call.heard[0]
    await asyncio.wait_for(heard.recv(), 5)
    assert not line.call.listener.closed


async def test_what_is_sent_to_a_peer_that_takes_nothing_is_bounded(line: Line):
    class Nobody:
        def on_client_ready(self) -> None: ...

    async def deaf(data: bytes) -> None: ...

    channel = Channel(Nobody(), {})
    channel.attach(line.call.listener.channels[0])
    line.channel.send('{"label":"rtvi-ai","type":"client-ready","id":"1","data":{}}')
    await until(lambda: channel.ready)
    line.caller._handle_data = deaf
    for _ in range(300):
        channel.server_message({"kind": "x", "text": "y" * 10_000})
    await asyncio.sleep(0)
    waiting = sum(len(chunk.user_data) for chunk in line.server._outbound_queue)
    waiting += sum(len(chunk.user_data) for chunk in line.server._sent_queue)
    waiting += sum(len(data) for _, _, data in line.server._data_channel_queue)
    assert 0 < waiting <= MAX_BUFFERED_BYTES + 20_000
    assert channel.dropped_messages > 100
