import random

from hypothesis import given
from hypothesis import strategies as st

from vision_agent.rtc.jitter_buffer import AudioJitterBuffer, VideoJitterBuffer


def feed_audio(order: list[int], start: int = 0) -> list[int]:
    buffer, out = AudioJitterBuffer(), []
    for n in order:
        out += [
            int.from_bytes(frame.data, "big")
            for frame in buffer.add((start + n) & 0xFFFF, n * 960, n.to_bytes(4, "big"))
        ]
    return out


def test_packets_in_order_pass_at_once():
    buffer = AudioJitterBuffer()
    for n in range(200):
        assert len(buffer.add((65_500 + n) & 0xFFFF, n * 960, b"x")) == 1


def test_a_swapped_pair_is_put_in_order():
    assert feed_audio([0, 1, 3, 2, 4, 5]) == [0, 1, 2, 3, 4, 5]


def test_a_hole_is_given_up_after_two_later_packets_and_leaves_no_backlog():
    buffer = AudioJitterBuffer()
    buffer.add(0, 0, b"0")
    assert buffer.add(2, 2, b"2") == []
    assert [frame.data for frame in buffer.add(3, 3, b"3")] == [b"2", b"3"]
    assert buffer.lost == 1
    for n in range(4, 50):
        assert len(buffer.add(n, n, b"x")) == 1


def test_late_packets_and_duplicates_are_dropped():
    assert feed_audio([0, 1, 1, 3, 4, 2, 5, 0]) == [0, 1, 3, 4, 5]


def test_a_sender_that_starts_anew_is_followed():
    assert feed_audio([0, 1, 2, 30_000, 30_001, 30_002]) == [0, 1, 2, 30_000, 30_001, 30_002]
    assert feed_audio([30_000, 30_001, 5, 6, 7]) == [30_000, 30_001, 5, 6, 7]


@given(st.data())
def test_whatever_arrives_comes_out_in_order_and_soon(data):
    sent = range(120)
    lost = data.draw(st.sets(st.sampled_from(sent), max_size=30))
    delays = data.draw(st.lists(st.sampled_from([0, 0, 0, 0, 1.5]), min_size=120, max_size=120))
    arrives = sorted((n for n in sent if n not in lost), key=lambda n: (n + delays[n], n))
    start = data.draw(st.integers(0, 0xFFFF))
    out = feed_audio(arrives, start)
    assert out == sorted(set(out))
    assert set(out) <= set(arrives)
    # At most the last few may still wait for packets before them.
    depth = AudioJitterBuffer.MAX_DEPTH
    assert not arrives or out[-1] >= arrives[-1] - depth - len(lost) or len(arrives) <= depth


def reordered(packets: int, by: float, share: float, seed: int = 3) -> list[int]:
    """The order of arrival of packets, a share of which is late by `by` places."""
    rng = random.Random(seed)
    late = {n: n + (by if rng.random() < share else 0) for n in range(packets)}
    return sorted(late, key=lambda n: (late[n], n))


def test_on_a_line_that_reorders_widely_next_to_nothing_is_lost():
    order = reordered(1000, 5.5, 0.5)
    out = feed_audio(order)
    assert out == sorted(out)
    assert len(out) >= 990


def test_the_window_is_as_deep_as_needed_and_shallow_again_later():
    buffer = AudioJitterBuffer()
    for n in reordered(200, 4.5, 0.5):
        buffer.add(n, n, b"x")
    assert 4 <= buffer.depth <= 6
    for n in range(200, 200 + 5 * AudioJitterBuffer.SHALLOWER_AFTER):
        assert len(buffer.add(n, n, b"x")) >= 1  # in order, no packet waits in any window
    assert buffer.depth == AudioJitterBuffer.DEPTH


def test_losses_and_duplicates_make_the_window_no_deeper():
    buffer = AudioJitterBuffer()
    rng = random.Random(2)
    for n in range(2000):
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            buffer.add(n, n, b"x")
    assert buffer.depth == AudioJitterBuffer.DEPTH


class Frames:
    """Feeds frames of several packets each to a buffer."""

    def __init__(self, sizes: list[int], start: int = 0, marker: bool = True) -> None:
        self.packets = []
        sequence = start
        for n, size in enumerate(sizes):
            for i in range(size):
                last = marker and i == size - 1
                self.packets.append((sequence & 0xFFFF, n * 3000, last, b"%d.%d " % (n, i)))
                sequence += 1
        self.buffer = VideoJitterBuffer()
        self.key_frames_needed = 0

    def feed(self, index: int, now_s: float = 0.0) -> list[tuple[int, bool]]:
        needed, ready = self.buffer.add(*self.packets[index], now_s)
        self.key_frames_needed += needed
        for frame in ready:
            assert frame.data.split() == [
                data.strip()
                for _, timestamp, _, data in self.packets
                if timestamp == frame.timestamp
            ], "a frame is whole and in order"
        return [(frame.timestamp // 3000, frame.after_loss) for frame in ready]


def test_a_frame_is_handed_over_with_its_marker_not_with_the_next_frame():
    frames = Frames([3, 1, 2], start=65_534)
    assert [frames.feed(i) for i in range(6)] == [
        [], [], [(0, False)], [(1, False)], [], [(2, False)],
    ]  # fmt: skip


def test_without_a_marker_the_next_timestamp_ends_a_frame():
    frames = Frames([2, 2], marker=False)
    assert [frames.feed(i) for i in range(4)] == [[], [], [(0, False)], []]


def test_packets_of_a_frame_may_come_in_any_order():
    frames = Frames([1, 4])
    assert [frames.feed(i) for i in (0, 4, 2, 3, 1)][-1] == [(1, False)]


def test_a_retransmission_closes_a_hole_and_all_that_waited_comes_at_once():
    frames = Frames([2, 2, 2])
    for i in (0, 1, 2, 4, 5):
        frames.feed(i, 0.1)
    assert frames.feed(3, 0.2) == [(1, False), (2, False)]
    assert frames.key_frames_needed == 0


def test_a_hole_that_stays_is_given_up_and_a_key_frame_asked_for():
    frames = Frames([2, 2, 2, 2, 2])
    for i in (0, 1, 2):  # 3 is lost: the second half of frame 1
        frames.feed(i, 0.0)
    assert [frames.feed(i, 0.1) for i in (4, 5)] == [[], []]
    assert frames.feed(6, 0.5) == []
    assert frames.key_frames_needed == 1
    # Frame 2 may lack its first packet, as far as the buffer can tell: frame 3 is safe.
    assert frames.feed(7, 0.5) == [(3, True)]
    assert [frames.feed(i, 0.6) for i in (8, 9)] == [[], [(4, False)]]


def test_a_slow_sender_does_not_freeze_on_one_lost_packet():
    frames = Frames([2] * 8)
    out = []
    for i in range(16):
        if i != 5:
            out += frames.feed(i, (i // 2) * 0.5)
    assert [n for n, _ in out] == [0, 1, 4, 5, 6, 7]
    assert frames.key_frames_needed == 1


def test_a_jump_beyond_the_capacity_starts_over():
    buffer = VideoJitterBuffer(capacity=512)
    assert buffer.add(10, 0, True, b"a", 0.0)[1]
    needed, ready = buffer.add(5000, 9000, True, b"b", 0.1)
    assert needed
    assert [(frame.data, frame.after_loss) for frame in ready] == [(b"b", True)]


@given(st.data())
def test_frames_come_out_whole_in_order_and_bounded_whatever_is_lost(data):
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=60))
    frames = Frames(sizes, start=data.draw(st.integers(0, 0xFFFF)))
    # The first packet is never lost: the buffer could not know that it was missing.
    lost = data.draw(st.sets(st.integers(1, len(frames.packets)), max_size=20))
    out = []
    for i in range(len(frames.packets)):
        if i not in lost:
            out += [n for n, _ in frames.feed(i, i * 0.02)]
        assert len(frames.buffer._packets) <= 512
    assert out == sorted(set(out))
    if not lost:
        assert out == list(range(len(sizes)))
