"""aioice's connection, guarded against strangers' datagrams and against the peer itself.

One of the files that touch private parts of aiortc and aioice (see `aiortc_patches`). A UDP socket
takes datagrams from everyone who finds its port. aioice hands every datagram that is not STUN to
DTLS, and an empty one ends the connection. This file replaces:

- ``StunProtocol``: a datagram that is not STUN is let in only from an address that has passed a
  connectivity check on this socket. A peer can't send data earlier: one of its own checks has to
  succeed first (RFC 8445 12.1), and this side answers a check only after it has authenticated it.
- ``Connection``: the addresses learnt from checks are bounded, and unused sockets are closed. A
  connection that is closed while it connects starts nothing more. A neighbour that can't reach
  loopback is sent checks from this machine's other addresses.

Written for aioice 0.13.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aioice.ice
import aiortc.rtcicetransport
from aioice import stun
from aioice.ice import CandidatePair, Connection, StunProtocol

from vision_agent.rtc import failures, network
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses

ice_module: Any = aioice.ice
ice_transport_module: Any = aiortc.rtcicetransport

MAX_LEARNT_ADDRESSES = 10
"""How many of the peer's addresses are learnt from its checks; each is sent a check in return."""

MAX_WAITING_DATAGRAMS = 512
"""DTLS reads datagrams as they arrive; more than these wait only while it is not running."""

UNUSED_AFTER_ROUNDS = 3
"""A peer may nominate another pair shortly after it has connected, so no socket is closed at once.
"""

NO_CHECK_S = 1.0
"""Within this time a peer on this machine that reaches loopback has sent a check."""

_LAST_STUN_BYTE = 3  # RFC 7983

MAX_DATAGRAM_BYTES = 65_536
"""The largest UDP datagram. By default asyncio allocates 256 KiB for each, which takes 10 µs."""

_addresses_of_machine = aioice.ice.get_host_addresses
_ROLE_CONFLICT = 487  # RFC 8445 7.3.1.1; the only error that answers an authenticated check
_CLOSE_S = 2.0


class GuardedProtocol(StunProtocol):
    """A UDP socket of a connection that ignores strangers.

    Attributes:
        data_packets: how many datagrams other than STUN were let in.
        data_packets_before: `data_packets` at the last round of `GuardedConnection.close_unused`.
        quiet_rounds: how many rounds in a row no such datagram was let in.
    """

    def __init__(self, receiver: GuardedConnection) -> None:
        super().__init__(receiver)
        self.data_packets = 0
        self.quiet_rounds = 0
        self.data_packets_before = 0
        self._trusted: set[tuple[Any, ...]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the transport that was opened for this protocol."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = MAX_DATAGRAM_BYTES

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Takes a datagram from the socket, or from the TURN server."""
        assert isinstance(data, bytes)
        sender = addr[:2]
        try:
            if not data:
                failures.drop_datagram()
            elif data[0] <= _LAST_STUN_BYTE:
                super().datagram_received(data, addr)
            elif sender in self._trusted or self._passed_a_check(sender):
                self.data_packets += 1
                self.receiver.data_received(data, self.local_candidate.component)
            else:
                failures.drop_datagram()
        except Exception as error:  # whatever one datagram causes
            failures.report("A datagram could not be handled", error)

    def trust(self, addr: tuple[Any, ...]) -> None:
        """Marks an address as the peer's: its datagrams other than STUN are for DTLS."""
        self._trusted.add(addr[:2])

    def _passed_a_check(self, addr: tuple[Any, ...]) -> bool:
        connection: Any = self.receiver
        passed = any(
            pair.protocol is self
            and pair.remote_addr == addr
            and pair.state is CandidatePair.State.SUCCEEDED
            for pair in connection._check_list
        ) or any(early[1:] == (addr, self) for early in connection._early_checks)
        if passed:
            self.trust(addr)
        return passed

    async def request(
        self,
        request: stun.Message,
        addr: tuple[str, int],
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, tuple[str, int]]:
        """Sends a check and waits for its answer."""
        response = await super().request(request, addr, integrity_key, retransmissions)
        if integrity_key is not None and isinstance(self.receiver, GuardedConnection):
            self.receiver.checks += 1
        return response


class GuardedConnection(Connection):
    """An ICE connection with a peer that may be hostile.

    Attributes:
        checks: the number of authenticated connectivity and consent checks, sent by the peer or
            answered by it.
        take_media: handles a datagram on arrival if it is media, and returns whether it was; not
            called while other datagrams wait for `recv`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checks = 0
        self.take_media: Callable[[bytes], bool] | None = None

    async def connect(self) -> None:
        """Performs the ICE handshake."""
        meeting = asyncio.create_task(self._meet_neighbour())
        try:
            await super().connect()
        finally:
            meeting.cancel()
            await asyncio.wait([meeting])
            if not meeting.cancelled() and (error := meeting.exception()):
                failures.report("A neighbour could not be met at its own address", error)
        # If the connection was closed just before it was made, its consent checks would never end.
        if self._closing and self._query_consent_task is not None:
            self._query_consent_task.cancel()
            self._query_consent_task = None
            raise ConnectionError("The connection was closed while it was made.")

    async def _meet_neighbour(self) -> None:
        await asyncio.sleep(NO_CHECK_S)
        call_network = network.current.get(None)
        if self.checks or call_network is None:
            return
        offered = [candidate.host for candidate in self._remote_candidates]
        addresses = call_network.more_addresses(offered, _addresses_of_machine(True, True))
        for address in addresses:
            for component in self._components:
                await self.get_component_candidates(component=component, addresses=[address])
        if self._closing:
            await asyncio.gather(*(protocol.close() for protocol in self._protocols))
            return
        paired = len(self._check_list)
        for candidate in self._remote_candidates:
            self._pair_remote_candidate(candidate)
        for pair in self._check_list[paired:]:
            self.check_start_task(pair)

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """Handles an authenticated check from the peer."""
        known = any((c._network_host, c.port) == addr for c in self._remote_candidates)
        learnt = sum(candidate.type == "prflx" for candidate in self._remote_candidates)
        if not known and learnt >= MAX_LEARNT_ADDRESSES:
            return
        try:
            super().check_incoming(message, addr, protocol)
        except Exception as error:  # whatever one check causes
            failures.report("A connectivity check could not be handled", error)
            return
        self.checks += 1
        if isinstance(protocol, GuardedProtocol):
            protocol.trust(addr)

    def data_received(self, data: bytes, component: int) -> None:
        """Takes a datagram that is not valid STUN."""
        waiting = self._queue.qsize()
        if not waiting and self.take_media is not None and self.take_media(data):
            return
        # STUN that can't be parsed arrives here too.
        if data[0] <= _LAST_STUN_BYTE or waiting >= MAX_WAITING_DATAGRAMS:
            failures.drop_datagram()
        else:
            super().data_received(data, component)

    def send_now(self, data: bytes) -> None:
        """Sends a datagram, as `send` does, without a coroutine.

        Raises:
            ConnectionError: no pair is nominated.
        """
        pair = self._nominated.get(1)
        if pair is None:
            raise ConnectionError("Cannot send data, not connected")
        pair.protocol.transport.sendto(data, pair.remote_addr)

    def respond_error(
        self,
        request: stun.Message,
        addr: tuple[str, int],
        protocol: StunProtocol,
        error_code: tuple[int, str],
    ) -> None:
        """Answers a refused check of the peer; a stranger's check gets no answer."""
        if error_code[0] == _ROLE_CONFLICT:
            super().respond_error(request, addr, protocol, error_code)
        else:
            failures.drop_datagram()

    async def close_unused(self) -> None:
        """Closes sockets that were unused for `UNUSED_AFTER_ROUNDS` calls, once there is a pair."""
        used = {pair.protocol for pair in self._nominated.values()}
        for protocol in list(self._protocols) if used else []:
            if not isinstance(protocol, GuardedProtocol):
                continue
            quiet = protocol.data_packets == protocol.data_packets_before
            protocol.data_packets_before = protocol.data_packets
            protocol.quiet_rounds = protocol.quiet_rounds + 1 if quiet else 0
            if protocol not in used and protocol.quiet_rounds >= UNUSED_AFTER_ROUNDS:
                await self._drop(protocol)

    async def _drop(self, protocol: GuardedProtocol) -> None:
        self._protocols.remove(protocol)
        pairs = [pair for pair in self._check_list if pair.protocol is protocol]
        for pair in pairs:
            self._check_list.remove(pair)
        tasks = [pair.task for pair in pairs if pair.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with contextlib.suppress(TimeoutError):  # a TURN server that does not answer
            await asyncio.wait_for(protocol.close(), _CLOSE_S)


def install() -> None:
    """Installs the replacements in aioice's and aiortc's modules."""
    ice_module.StunProtocol = GuardedProtocol
    ice_transport_module.Connection = GuardedConnection


_OVERRIDDEN: list[tuple[Any, str, list[str]]] = [
    (StunProtocol, "connection_made", ["self", "transport"]),
    (StunProtocol, "datagram_received", ["self", "data", "addr"]),
    (StunProtocol, "request", ["self", "request", "addr", "integrity_key", "retransmissions"]),
    (StunProtocol, "close", ["self"]),
    (Connection, "connect", ["self"]),
    (Connection, "check_incoming", ["self", "message", "addr", "protocol"]),
    (Connection, "get_component_candidates", ["self", "component", "addresses", "timeout"]),
    (Connection, "_pair_remote_candidate", ["self", "remote_candidate"]),
    (Connection, "check_start_task", ["self", "pair"]),
    (Connection, "data_received", ["self", "data", "component"]),
    (Connection, "respond_error", ["self", "request", "addr", "protocol", "error_code"]),
]
_ATTRIBUTES = {
    "_check_list",
    "_closing",
    "_components",
    "_early_checks",
    "_nominated",
    "_protocols",
    "_query_consent_task",
    "_queue",
    "_remote_candidates",
}
_USES: list[tuple[Any, str]] = [
    (Connection.request_received, "check_incoming"),
    (Connection.connect, "check_incoming"),
    (Connection.connect, "_query_consent_task"),
    (Connection.check_incoming, "_network_host"),
    (StunProtocol.datagram_received, "data_received"),
    (StunProtocol.datagram_received, "local_candidate"),
    (StunProtocol.send_data, "sendto"),
    (Connection.sendto, "_nominated"),
    (Connection.sendto, "remote_addr"),
    (StunProtocol.datagram_received, "request_received"),
    (aiortc.RTCIceGatherer.__init__, "_connection"),
    (aiortc.RTCIceGatherer.__init__, "Connection"),
    (aiortc.RTCIceTransport.__init__, "_connection"),
]


def check() -> None:
    """Checks the parts of aioice that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions(_OVERRIDDEN)
    check_attributes(Connection, _ATTRIBUTES)
    check_uses(_USES)
