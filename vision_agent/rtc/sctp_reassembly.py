"""Assembles data channel messages from their SCTP fragments (RFC 9260 6.9). No I/O.

A fragment costs the same however many wait. aiortc searches its list from the beginning for each
fragment, so that 20,000 fragments of a byte (0.4 MB) blocked the event loop for twelve seconds.
The waiting data is bounded, because only the peer can send the fragments that it waits for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol

MAX_MESSAGE_BYTES = 262_144
"""The answer's `a=max-message-size`."""

MAX_FRAGMENTS = 1024
"""The limit for one message, and for the fragments that wait when one arrives out of order. Senders
split at 1,100 to 1,200 bytes: a message of the largest size has 240 fragments, the window 950."""

WINDOW_BYTES = 1024 * 1024
"""The receiver window that is advertised."""

MAX_STREAMS = 64
"""A client needs one stream. Each data channel is a stream until it is closed."""

_LAST, _FIRST, _UNORDERED = 1, 2, 4


class PeerMisbehaves(ValueError):
    """The peer sends data that no receiver can take; the text says what is wrong with it."""


class Fragment(Protocol):
    """A DATA chunk."""

    flags: int
    tsn: int
    stream_id: int
    stream_seq: int
    protocol: int
    user_data: bytes


class Message(NamedTuple):
    """A whole message: its stream, its payload protocol identifier, and its bytes."""

    stream_id: int
    protocol: int
    data: bytes


class _Run:
    """Fragments with consecutive TSNs."""

    __slots__ = ("fragments", "size_bytes")

    def __init__(self, fragment: Fragment) -> None:
        self.fragments: deque[Fragment] = deque((fragment,))
        self.size_bytes = len(fragment.user_data)

    @property
    def whole(self) -> bool:
        return bool(self.fragments[0].flags & _FIRST and self.fragments[-1].flags & _LAST)

    def joined(self, later: _Run) -> _Run:
        """Joins two runs. The shorter is copied, so n fragments in any order cost n log n."""
        small, large = sorted((self, later), key=lambda run: len(run.fragments))
        if small is self:
            large.fragments.extendleft(reversed(small.fragments))
        else:
            large.fragments.extend(small.fragments)
        large.size_bytes += small.size_bytes
        return large


class _Stream:
    __slots__ = ("by_first", "by_last", "next_seq", "waiting")

    def __init__(self) -> None:
        self.next_seq = 0
        self.by_first: dict[int, _Run] = {}
        self.by_last: dict[int, _Run] = {}
        self.waiting: dict[int, _Run] = {}  # whole ordered messages behind a missing one

    def runs(self) -> Iterator[_Run]:
        yield from self.by_first.values()
        yield from self.waiting.values()

    def keep(self, run: _Run) -> None:
        self.by_first[run.fragments[0].tsn] = self.by_last[run.fragments[-1].tsn] = run

    def take(self, run: _Run) -> _Run:
        del self.by_first[run.fragments[0].tsn], self.by_last[run.fragments[-1].tsn]
        return run

    def join(self, fragment: Fragment) -> _Run:
        """Joins a fragment with its neighbours; the returned run is no longer kept here."""
        run = _Run(fragment)
        if not fragment.flags & _FIRST:
            earlier = self.by_last.get(_plus(fragment.tsn, -1))
            if earlier is not None and not earlier.fragments[-1].flags & _LAST:
                run = self.take(earlier).joined(run)
        if not fragment.flags & _LAST:
            later = self.by_first.get(_plus(fragment.tsn, 1))
            if later is not None and not later.fragments[0].flags & _FIRST:
                run = run.joined(self.take(later))
        return run


class Reassembly:
    """All streams of one association.

    Attributes:
        waiting_fragments: How many fragments are held.
        waiting_bytes: Their user data.
    """

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self.waiting_fragments = 0
        self.waiting_bytes = 0

    def has_room(self, fragment: Fragment) -> bool:
        """Whether a fragment that arrives out of order can wait; if not, the peer resends it."""
        return (
            self.waiting_fragments < MAX_FRAGMENTS
            and self.waiting_bytes + len(fragment.user_data) <= WINDOW_BYTES
        )

    def add(self, fragment: Fragment) -> list[Message]:
        """Takes a fragment that was not received before; returns the complete messages, in order.

        Raises:
            PeerMisbehaves: A message is too large or has too many fragments, or too much data waits
                for fragments that were never sent.
        """
        stream = self._stream(fragment.stream_id)
        if stream is None:
            return []
        self.waiting_fragments += 1
        self.waiting_bytes += len(fragment.user_data)
        run = stream.join(fragment)
        if run.size_bytes > MAX_MESSAGE_BYTES or len(run.fragments) > MAX_FRAGMENTS:
            most = f"{MAX_MESSAGE_BYTES // 1024} KB or {MAX_FRAGMENTS} fragments"
            raise PeerMisbehaves(f"a message has more than {most}")
        if run.whole:
            return self._deliver(stream, run)
        stream.keep(run)
        self._check()
        return []

    def skip(self, stream_id: int, stream_seq: int) -> list[Message]:
        """Skips ordered messages up to this one, which the peer gave up (FORWARD TSN, RFC 3758).

        Returns:
            The whole messages that waited for them, in order.
        """
        stream = self._stream(stream_id)
        if stream is None:
            return []
        if _ahead16(stream_seq, stream.next_seq) >= 0:
            stream.next_seq = (stream_seq + 1) & 0xFFFF
        passed = [seq for seq in stream.waiting if _ahead16(seq, stream.next_seq) < 0]
        passed.sort(key=lambda seq: _ahead16(seq, stream.next_seq))
        messages = [self._message(stream.waiting.pop(seq)) for seq in passed]
        return messages + self._in_turn(stream)

    def prune(self, tsn: int) -> None:
        """Drops the fragments up to a TSN whose messages can't become whole (FORWARD TSN).

        A message that has all its fragments up to the TSN, and continues after it, is kept.
        """
        for stream in self._streams.values():
            for run in list(stream.by_first.values()):
                first, last = run.fragments[0], run.fragments[-1]
                complete_so_far = first.flags & _FIRST and tsn_ahead(last.tsn, tsn) >= 0
                if complete_so_far or tsn_ahead(first.tsn, tsn) > 0:
                    continue
                stream.take(run)
                while run.fragments and tsn_ahead(run.fragments[0].tsn, tsn) <= 0:
                    gone = run.fragments.popleft()
                    run.size_bytes -= len(gone.user_data)
                    self.waiting_fragments -= 1
                    self.waiting_bytes -= len(gone.user_data)
                if run.fragments:
                    stream.keep(run)

    def reset(self, stream_id: int) -> None:
        """Forgets a stream that the peer closed (RFC 6525), which makes room for another."""
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            for run in stream.runs():
                self.waiting_fragments -= len(run.fragments)
                self.waiting_bytes -= run.size_bytes

    def _stream(self, stream_id: int) -> _Stream | None:
        stream = self._streams.get(stream_id)
        if stream is None and len(self._streams) < MAX_STREAMS:
            stream = self._streams[stream_id] = _Stream()
        return stream

    def _deliver(self, stream: _Stream, run: _Run) -> list[Message]:
        first = run.fragments[0]
        if first.flags & _UNORDERED or (ahead := _ahead16(first.stream_seq, stream.next_seq)) < 0:
            return [self._message(run)]
        if ahead == 0:
            stream.next_seq = (stream.next_seq + 1) & 0xFFFF
            return [self._message(run), *self._in_turn(stream)]
        replaced = stream.waiting.get(first.stream_seq)
        if replaced is not None:
            self._message(replaced)
        stream.waiting[first.stream_seq] = run
        self._check()
        return []

    def _in_turn(self, stream: _Stream) -> list[Message]:
        messages = []
        while (run := stream.waiting.pop(stream.next_seq, None)) is not None:
            messages.append(self._message(run))
            stream.next_seq = (stream.next_seq + 1) & 0xFFFF
        return messages

    def _message(self, run: _Run) -> Message:
        self.waiting_fragments -= len(run.fragments)
        self.waiting_bytes -= run.size_bytes
        first = run.fragments[0]
        data = b"".join(fragment.user_data for fragment in run.fragments)
        return Message(first.stream_id, first.protocol, data)

    def _check(self) -> None:
        # `has_room` bounds the fragments out of order. More means fragments in order that are not
        # whole, although a sender completes one message before it begins another.
        if (
            self.waiting_fragments > 2 * MAX_FRAGMENTS
            or self.waiting_bytes > WINDOW_BYTES + MAX_MESSAGE_BYTES
        ):
            raise PeerMisbehaves("messages are begun and never completed")


def tsn_ahead(tsn: int, reference: int) -> int:
    """How far a TSN is ahead of another (negative: behind), RFC 1982."""
    return ((tsn - reference + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def _plus(tsn: int, step: int) -> int:
    return (tsn + step) & 0xFFFFFFFF


def _ahead16(seq: int, reference: int) -> int:
    return ((seq - reference + 0x8000) & 0xFFFF) - 0x8000
