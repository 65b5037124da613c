"""A UDP socket that the connections of many calls share.

A check belongs to the connection whose user name fragment it names, a response to the connection
that has sent the request, and every other datagram to the connection for which its sender has
passed a check. Datagrams that belong to no connection are dropped and counted.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextvars import Context
from typing import Protocol, cast

from vision_agent.rtc import failures
from vision_agent.rtc.stun_header import LAST_STUN_BYTE, class_of, receiver_of, transaction_of
from vision_agent.rtc.udp_transport import UdpTransport

MAX_ADDRESSES = 32
"""Most addresses of one connection; the one checked longest ago is dropped first."""

Address = tuple[str, int]


class Member(Protocol):
    """A connection's share of the socket.

    Attributes:
        fragment: the connection's own user name fragment.
        deliver: handles a datagram of a sender that has passed a check; it is neither empty nor
            STUN.
    """

    fragment: bytes
    deliver: Callable[[bytes], None]

    def deliver_stun(self, data: bytes, addr: Address) -> None:
        """Handles a check of the connection's peer, or a response to its own."""

    def uses(self, addr: Address) -> bool:
        """Whether the connection sends its media to this address."""


class SharedSocket(asyncio.DatagramProtocol):
    """A bound socket and its members.

    Args:
        bound: a UDP socket, which is closed with this object.
        on_empty: is called when the last member has left.

    Attributes:
        address: the local address and port.
        transport: sends for all members; only after `start`.
        members: by user name fragment.
    """

    transport: asyncio.DatagramTransport

    def __init__(self, bound: socket.socket, on_empty: Callable[[], object] = lambda: None) -> None:
        self.address: Address = bound.getsockname()[:2]
        self.members: dict[bytes, Member] = {}
        self._socket = bound
        self._on_empty = on_empty
        self._requests: dict[bytes, Member] = {}
        self._senders: dict[Address, Member] = {}
        # The addresses of each member, the one checked longest ago first.
        self._addresses: dict[bytes, dict[Address, None]] = {}
        self._closed: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begins to receive."""
        self._closed = asyncio.get_running_loop().create_future()
        # Not in the context of the call that happens to be the first on this address.
        Context().run(UdpTransport, self._socket, self)

    def join(self, member: Member) -> None:
        """Adds a connection."""
        assert member.fragment not in self.members, "a connection has a fragment of its own"
        self.members[member.fragment] = member
        self._addresses[member.fragment] = {}

    def leave(self, member: Member) -> None:
        """Removes a connection with all its addresses and requests. Safe to call again."""
        if self.members.get(member.fragment) is not member:
            return
        del self.members[member.fragment]
        for addr in self._addresses.pop(member.fragment):
            del self._senders[addr]
        for request in [each for each, owner in self._requests.items() if owner is member]:
            del self._requests[request]
        if not self.members:
            self._on_empty()

    def expect(self, transaction: bytes, member: Member) -> None:
        """Assigns the response to this request to the member, until `forget`."""
        self._requests[transaction] = member

    def forget(self, transaction: bytes) -> None:
        """Expects no response to this request any more."""
        self._requests.pop(transaction, None)

    def claim(self, addr: Address, member: Member, *, answered: bool) -> None:
        """Assigns an address that has passed a check to the member whose check it was.

        An address that another member uses changes hands only when it has answered a check of the
        new one's. The source of a datagram can be forged, so that one caller could otherwise take
        the media of another.

        Args:
            addr: the sender's address.
            member: the connection. If it has left, nothing happens.
            answered: whether the address has answered a check, and not only sent one.
        """
        held = self._addresses.get(member.fragment)
        if held is None:
            return
        holder = self._senders.get(addr)
        if holder is not None:
            if holder is not member and not answered and holder.uses(addr):
                return
            del self._addresses[holder.fragment][addr]
        if len(held) == MAX_ADDRESSES:
            oldest = next(iter(held))
            del held[oldest], self._senders[oldest]
        self._senders[addr] = member
        held[addr] = None

    def datagram_received(self, data: bytes | str, addr: Address) -> None:
        """Passes a datagram on to the connection that it belongs to."""
        data = cast(bytes, data)
        addr = addr[:2]  # an IPv6 address has four parts
        if data and data[0] > LAST_STUN_BYTE:
            if (member := self._senders.get(addr)) is not None:
                member.deliver(data)
                return
        elif (member := self._receiver_of(data)) is not None:
            member.deliver_stun(data, addr)
            return
        failures.drop_datagram()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport, through which datagrams are sent."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def discard(self) -> None:
        """Closes a socket that has not been started."""
        self._socket.close()

    async def close(self) -> None:
        """Closes the socket. Safe to call again."""
        if self._closed is None:
            self.discard()
            return
        self.transport.close()
        await self._closed

    def _receiver_of(self, message: bytes) -> Member | None:
        match class_of(message):
            case "request":
                fragment = receiver_of(message)
                return None if fragment is None else self.members.get(fragment)
            case "response":
                return self._requests.get(transaction_of(message))
        return None
