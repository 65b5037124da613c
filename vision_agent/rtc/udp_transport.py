"""A UDP socket on the event loop, for media: datagrams that can't be handled in time are dropped.

asyncio's own transport lets the system queue as many datagrams as its buffer holds. With more calls
than one event loop can serve, that queue grew to ten thousand datagrams, which is five seconds of
traffic (measured at 36 calls). Callers were heard as late, and responses to consent checks arrived
after their deadline, which ended the calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import time
from struct import Struct
from typing import Any

from vision_agent.rtc import failures, overload

MAX_DATAGRAM_BYTES = 65_536
"""The largest UDP datagram."""

RECEIVE_BUFFER_BYTES = 4 << 20
"""The receive buffer that the system is asked for; it gives less where its own limit is lower."""

AT_A_TIME = 8
"""Datagrams handled in one turn of the event loop: about 2 ms of work, for which voices wait."""

LATE_S = 1.5
"""When a datagram has waited this long, media is dropped until one has waited less than `FRESH_S`.
After a stall, sound that is a second late is still worth hearing, and a response to a consent check
counts for 2.5 s."""

FRESH_S = 0.5

_NO_WAY = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}
)
"""No route leads from this socket to that address. That is usual while candidates are tried, and a
connection whose path is gone ends with a reason."""

QUEUED = 20_000
"""Most datagrams in the queue. A full buffer holds half as many of the smallest ones."""

Address = tuple[Any, ...]

_RTP_VERSION = 2
_SO_TIMESTAMPNS = 35  # Linux; Python has no name for it
_TIMESPEC = Struct("@ll")  # of this option also where time_t is longer than a long
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


class UdpTransport(asyncio.DatagramTransport):
    """Receives and sends on a bound socket that is not connected. POSIX systems only.

    Media that comes late out of the system's queue is dropped and counted (`overload`), on Linux,
    which says when a datagram arrived. STUN and DTLS are always handled, because they hold the
    connection and the data channel. What the system doesn't take at once is not sent, because media
    that waits is late.

    Args:
        bound: a UDP socket that does not block; it is closed with this object.
        protocol: receives the datagrams, in the context in which this object is made.
    """

    def __init__(self, bound: socket.socket, protocol: asyncio.DatagramProtocol) -> None:
        super().__init__({"socket": bound, "sockname": bound.getsockname()})
        self._socket = bound
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._more_waits = False
        with contextlib.suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if sys.platform == "linux":
                bound.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        protocol.connection_made(self)
        self._loop.add_reader(bound, self._receive)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Sends a datagram now or never."""
        if self._closing or addr is None:
            return
        try:
            self._socket.sendto(data, addr)
        except (BlockingIOError, InterruptedError):
            failures.drop_datagram()
        except OSError as error:
            failures.drop_datagram()
            if error.errno not in _NO_WAY:
                failures.report("A datagram could not be sent", error)
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    def close(self) -> None:
        """Closes the socket. Safe to call again."""
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._socket)
            self._loop.call_soon(self._end)

    def abort(self) -> None:
        """Closes the socket; no datagram waits to be sent."""
        self.close()

    def _end(self) -> None:
        self._socket.close()
        self._protocol.connection_lost(None)

    def _receive(self) -> None:
        try:
            if self._more_waits:
                data, addr, waited_s = self._read()
                if waited_s > LATE_S:
                    data, addr = self._drop_late(data, addr)
                if not self._closing:
                    self._protocol.datagram_received(data, addr)
            for _ in range(AT_A_TIME):
                if self._closing:
                    return
                data, addr = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
                self._protocol.datagram_received(data, addr)
            self._more_waits = True
        except (BlockingIOError, InterruptedError):
            self._more_waits = False
        except OSError as error:
            self._protocol.error_received(error)

    def _drop_late(self, data: bytes, addr: Address) -> tuple[bytes, Address]:
        """Drops late media, beginning with this datagram; returns the first datagram to handle."""
        dropped = 0
        try:
            for _ in range(QUEUED):
                if data and data[0] >> 6 == _RTP_VERSION:  # RFC 7983
                    dropped += 1
                elif not self._closing:
                    self._protocol.datagram_received(data, addr)
                data, addr, waited_s = self._read()
                if waited_s < FRESH_S:
                    break
        finally:
            if dropped:
                overload.current.note(dropped, time.monotonic())
        return data, addr

    def _read(self) -> tuple[bytes, Address, float]:
        """A datagram, its sender, and how long it has waited; 0 s if the system does not say."""
        data, ancillary, _, addr = self._socket.recvmsg(MAX_DATAGRAM_BYTES, _ANCILLARY_BYTES)
        for _, kind, value in ancillary:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(value)
                return data, addr, _now_s() - (seconds + nanoseconds / 1e9)
        return data, addr, 0.0


def _now_s() -> float:
    """Seconds since 1970. In virtual time `time.time` is ahead of the system's clock, or behind."""
    return min(time.time(), time.clock_gettime(time.CLOCK_REALTIME))
