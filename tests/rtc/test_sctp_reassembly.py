import random
from dataclasses import dataclass

import pytest

from vision_agent.rtc.sctp_reassembly import (
    MAX_FRAGMENTS,
    MAX_MESSAGE_BYTES,
    MAX_STREAMS,
    WINDOW_BYTES,
    Message,
    PeerMisbehaves,
    Reassembly,
)

LAST, FIRST, UNORDERED = 1, 2, 4


@dataclass
class Chunk:
    tsn: int
    user_data: bytes = b"x"
    flags: int = FIRST | LAST
    stream_id: int = 1
    stream_seq: int = 0
    protocol: int = 51


def fragments(data: bytes, size: int, tsn: int, seq: int = 0, flags: int = 0) -> list[Chunk]:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    chunks = [Chunk(tsn + n, part, flags, stream_seq=seq) for n, part in enumerate(parts)]
    chunks[0].flags |= FIRST
    chunks[-1].flags |= LAST
    for chunk in chunks:
        chunk.tsn &= 0xFFFFFFFF
    return chunks


def taken(reassembly: Reassembly, chunks: list[Chunk]) -> list[bytes]:
    return [message.data for chunk in chunks for message in reassembly.add(chunk)]


def nothing_waits(reassembly: Reassembly) -> bool:
    return (reassembly.waiting_fragments, reassembly.waiting_bytes) == (0, 0)


def test_a_message_of_one_fragment_goes_on_at_once():
    reassembly = Reassembly()
    assert reassembly.add(Chunk(7, b"hello")) == [Message(1, 51, b"hello")]
    assert nothing_waits(reassembly)


@pytest.mark.parametrize("flags", [0, UNORDERED], ids=["ordered", "unordered"])
def test_fragments_in_any_order_become_the_messages_that_were_sent(flags):
    # The TSNs wrap in the middle of the messages.
    rng = random.Random(1)
    sent = [rng.randbytes(rng.randint(1, 40)) for _ in range(40)]
    for _ in range(20):
        chunks: list[Chunk] = []
        for n, data in enumerate(sent):
            chunks += fragments(data, 7, 0xFFFFFFB0 + len(chunks), n, flags)
        rng.shuffle(chunks)
        reassembly = Reassembly()
        got = taken(reassembly, chunks)
        assert got == sent if not flags else sorted(got) == sorted(sent)
        assert nothing_waits(reassembly)


def test_the_largest_message_arrives_and_a_larger_one_is_refused():
    data = bytes(MAX_MESSAGE_BYTES)
    assert taken(Reassembly(), fragments(data, 1100, 5)) == [data]
    with pytest.raises(PeerMisbehaves, match="256 KB"):
        taken(Reassembly(), fragments(data + b"x", 1100, 5))


@pytest.mark.parametrize("flags", [0, UNORDERED])
def test_a_message_that_never_ends_is_refused_however_small_its_fragments(flags):
    reassembly = Reassembly()
    endless = [Chunk(n, b"a", flags | (FIRST if n == 0 else 0)) for n in range(100_000)]
    with pytest.raises(PeerMisbehaves):
        taken(reassembly, endless)
    assert reassembly.waiting_fragments <= MAX_FRAGMENTS + 1


def test_messages_that_begin_and_never_end_are_refused():
    reassembly = Reassembly()
    begun = [Chunk(n, b"a", FIRST | UNORDERED, stream_id=n % 8) for n in range(100_000)]
    with pytest.raises(PeerMisbehaves, match="never completed"):
        taken(reassembly, begun)


def test_messages_behind_one_that_never_comes_are_refused():
    reassembly = Reassembly()
    early = [Chunk(n, b"a", stream_seq=(n + 1) & 0x7FFF) for n in range(100_000)]
    with pytest.raises(PeerMisbehaves, match="never completed"):
        taken(reassembly, early)


def test_what_comes_out_of_order_has_room_for_a_window():
    reassembly = Reassembly()
    large = Chunk(2, bytes(WINDOW_BYTES // 4), FIRST)
    for n in range(4):
        assert reassembly.has_room(large)
        reassembly.add(Chunk(2 + 10 * n, large.user_data, FIRST))
    assert not reassembly.has_room(large)


def test_ordered_messages_wait_for_an_earlier_one():
    reassembly = Reassembly()
    assert taken(reassembly, [Chunk(3, b"c", stream_seq=2), Chunk(2, b"b", stream_seq=1)]) == []
    assert taken(reassembly, [Chunk(1, b"a", stream_seq=0)]) == [b"a", b"b", b"c"]


def test_a_skipped_message_lets_the_later_ones_go_on():
    reassembly = Reassembly()
    reassembly.add(Chunk(3, b"c", stream_seq=2))
    reassembly.add(Chunk(1, b"half", FIRST, stream_seq=1))
    assert [message.data for message in reassembly.skip(1, 1)] == [b"c"]
    reassembly.prune(2)
    assert nothing_waits(reassembly)


def test_a_message_that_goes_on_after_what_was_skipped_is_kept():
    reassembly = Reassembly()
    first, last = fragments(b"abcd", 2, 10)
    reassembly.add(first)
    reassembly.prune(10)
    assert taken(reassembly, [last]) == [b"abcd"]
    reassembly.add(Chunk(21, b"x", 0))  # its beginning was skipped
    reassembly.prune(20)
    assert reassembly.waiting_fragments == 1
    reassembly.prune(21)
    assert nothing_waits(reassembly)


def test_streams_beyond_the_bound_are_ignored_until_another_is_closed():
    reassembly = Reassembly()
    accepted = [n for n in range(20_000) if reassembly.add(Chunk(n, stream_id=n))]
    assert accepted == list(range(MAX_STREAMS))
    reassembly.reset(5)
    assert reassembly.add(Chunk(20_000, b"new", stream_id=19_999)) == [Message(19_999, 51, b"new")]


def test_closing_a_stream_forgets_what_waits_on_it():
    reassembly = Reassembly()
    reassembly.add(Chunk(1, b"half", FIRST))
    reassembly.add(Chunk(9, b"later", stream_seq=5))
    reassembly.reset(1)
    assert nothing_waits(reassembly)


def test_a_fragment_costs_the_same_however_many_wait():
    # Looks are counted, not timed. A run is only ever copied into a longer one, so n fragments in
    # the worst order are copied n log n times at most.
    class Counting(Chunk):
        looks = 0

        def __getattribute__(self, name: str) -> object:
            if name == "tsn":
                Counting.looks += 1
            return super().__getattribute__(name)

    reassembly = Reassembly()
    every_other = [*range(1, 1000, 2), *range(2, 1000, 2)]
    for tsn in every_other:
        reassembly.add(Counting(tsn, b"a", 0))
    assert Counting.looks < 20 * len(every_other)
