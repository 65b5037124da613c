"""Puts RTP packets back in order, for a receiver that plays nothing out. No I/O, no clock.

A server hands audio and video to a model, which needs no steady playout, so a complete frame is
handed on at once. aiortc's own buffer holds four audio packets (80 ms) and never reduces the
backlog that a loss leaves (117 ms grow to 317 for the rest of the call). It hands a video frame
over when the next one begins: 36 ms late at 30 frames a second, 503 ms at 2.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

# A jump this far in the 16-bit sequence means that the sender restarted, not a reordering.
MAX_MISORDER = 100


@dataclass(slots=True)
class Encoded:
    """One encoded frame.

    Attributes:
        data: the depayloaded bytes.
        timestamp: the RTP timestamp (32 bits, as received; the receiver then maps it to start at
            zero).
        after_loss: whether packets before this frame were given up.
    """

    data: bytes
    timestamp: int
    after_loss: bool = False


class AudioJitterBuffer:
    """Orders audio packets; a hole is given up once `depth` later packets wait.

    The depth is two, because networks sometimes reorder by one packet and hardly ever by more; each
    packet of depth delays the audio after a loss by 20 ms. If a packet arrives after its hole was
    given up, the depth grows to what that packet needed. It shrinks by one for every
    `SHALLOWER_AFTER` packets without such a late one. A hole stays visible in the timestamps, and
    the Microphone fills it with silence.

    Attributes:
        depth: how many later packets wait before a hole is given up.
        lost: how many packets were given up.
    """

    DEPTH = 2
    MAX_DEPTH = 7  # 140 ms
    SHALLOWER_AFTER = 500  # packets: 10 s

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, Encoded] = {}
        self._given_up: deque[int] = deque(maxlen=32)
        self._since_late = 0
        self.depth = self.DEPTH
        self.lost = 0

    def add(self, sequence: int, timestamp: int, data: bytes) -> list[Encoded]:
        """Takes one packet; returns the frames that are ready, in order."""
        if self._next is None:
            self._next = sequence
        ahead = _distance(sequence, self._next)
        if -MAX_MISORDER < ahead < 0:
            self._came_late(sequence, -ahead)
            return []  # late or a duplicate: later packets have been handed on
        if not 0 <= ahead < MAX_MISORDER:
            self._waiting.clear()
            self._next = sequence
        if sequence == self._next and not self._waiting:
            self._next = (sequence + 1) & 0xFFFF
            ready = [Encoded(data, timestamp)]
        else:
            self._waiting.setdefault(sequence, Encoded(data, timestamp))
            ready = self._contiguous()
        if len(self._waiting) >= self.depth:
            hole = self._next
            self._next = min(self._waiting, key=lambda waiting: _distance(waiting, hole))
            missing = _distance(self._next, hole)
            self._given_up.extend((hole + n) & 0xFFFF for n in range(missing))
            self.lost += missing
            ready += self._contiguous()
        self._since_late += 1
        if self.depth > self.DEPTH and self._since_late >= self.SHALLOWER_AFTER:
            self.depth, self._since_late = self.depth - 1, 0
        return ready

    def _came_late(self, sequence: int, behind: int) -> None:
        if sequence in self._given_up:
            self._given_up.remove(sequence)
            self.depth = max(self.depth, min(behind, self.MAX_DEPTH))
            self._since_late = 0

    def _contiguous(self) -> list[Encoded]:
        ready = []
        while self._next is not None and (frame := self._waiting.pop(self._next, None)):
            ready.append(frame)
            self._next = (self._next + 1) & 0xFFFF
        return ready


class _Packet(NamedTuple):
    timestamp: int
    marker: bool
    data: bytes


class VideoJitterBuffer:
    """Assembles video frames; the marker bit ends a frame (RFC 7741, RFC 6184).

    A hole is kept open for `patience_s`, in which a retransmission may fill it (the receiver asks
    for the missing packets whenever it sees a new gap). Then everything up to the next whole frame
    is given up, and that frame is marked `after_loss`: without its reference frames a decoder would
    draw on a wrong frame.

    Attributes:
        given_up: how many times packets were given up.
    """

    def __init__(self, capacity: int = 512, patience_s: float = 0.25) -> None:
        self._capacity = capacity
        self._patience_s = patience_s
        self._next: int | None = None
        self._packets: dict[int, _Packet] = {}
        self._hole_since_s: float | None = None
        self._skip_timestamp: int | None = None
        self._after_loss = False
        self.given_up = 0

    def add(
        self, sequence: int, timestamp: int, marker: bool, data: bytes, now_s: float
    ) -> tuple[bool, list[Encoded]]:
        """Takes one packet.

        Args:
            sequence: RTP sequence number.
            timestamp: RTP timestamp, 90 kHz.
            marker: RTP marker bit, set on the last packet of a frame.
            data: depayloaded bytes.
            now_s: monotonic time of arrival, compared with `patience_s`.

        Returns:
            Whether a key frame is needed because packets were given up, and the complete frames.
        """
        if self._next is None:
            self._next = sequence
        ahead = _distance(sequence, self._next)
        if -MAX_MISORDER < ahead < 0:
            return False, []
        given_up = False
        if not 0 <= ahead < self._capacity:
            self.start_over()
            self._next = sequence
            given_up = True
        self._packets.setdefault(sequence, _Packet(timestamp, marker, data))
        ready, begun = self._complete()
        if begun == len(self._packets):
            self._hole_since_s = None
        elif ready or self._hole_since_s is None:
            self._hole_since_s = now_s
        elif now_s - self._hole_since_s > self._patience_s:
            self._give_up_hole(begun)
            given_up = True
            ready = self._complete()[0]
        return given_up, ready

    def _complete(self) -> tuple[list[Encoded], int]:
        """Takes the whole frames off the front; also returns how many packets of the next wait."""
        assert self._next is not None
        ready: list[Encoded] = []
        packets: list[_Packet] = []
        while packet := self._packets.get((self._next + len(packets)) & 0xFFFF):
            # If a sender sets no marker, the next timestamp ends the frame.
            if packets and packet.timestamp != packets[0].timestamp:
                ready += self._take(packets)
                packets = []
                continue
            packets.append(packet)
            if packet.marker:
                ready += self._take(packets)
                packets = []
        return ready, len(packets)

    def _take(self, packets: list[_Packet]) -> list[Encoded]:
        assert self._next is not None
        for _ in packets:
            self._packets.pop(self._next)
            self._next = (self._next + 1) & 0xFFFF
        timestamp = packets[0].timestamp
        if timestamp == self._skip_timestamp:
            return []  # the rest of a frame whose beginning was given up
        self._skip_timestamp = None
        frame = Encoded(b"".join(p.data for p in packets), timestamp, self._after_loss)
        self._after_loss = False
        return [frame]

    def _give_up_hole(self, begun: int) -> None:
        """Skips a broken frame: its first `begun` packets, which are here, and the hole."""
        assert self._next is not None
        for _ in range(begun):
            del self._packets[self._next]
            self._next = (self._next + 1) & 0xFFFF
        hole = self._next
        self._next = min(self._packets, key=lambda sequence: _distance(sequence, hole))
        # The packet after the hole may be in the middle of its frame, and the number of missing
        # frames is unknown: only a new timestamp is certain to begin a frame.
        self._skip_timestamp = self._packets[self._next].timestamp
        self._after_loss = True
        self._hole_since_s = None
        self.given_up += 1

    def start_over(self) -> None:
        """Gives up what waits: the next packet is of another stream, whatever its number."""
        self._packets.clear()
        self._next = None
        self._after_loss = True
        self._skip_timestamp = None
        self._hole_since_s = None
        self.given_up += 1


class MediaClock:
    """Counts on from 32-bit timestamps; the first is 0.

    A step back stays one: with B-frames, frames are not sent in the order in which they are shown.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._ticks = 0

    def map(self, timestamp: int) -> int:
        """The ticks from the first timestamp to this one."""
        if self._newest is not None:
            step = (timestamp - self._newest + (1 << 31)) & 0xFFFFFFFF
            self._ticks += step - (1 << 31)
        self._newest = timestamp
        return self._ticks


def _distance(sequence: int, reference: int) -> int:
    """How far a 16-bit sequence number is ahead of another (negative: behind), RFC 3550 A.1."""
    return ((sequence - reference + 0x8000) & 0xFFFF) - 0x8000
