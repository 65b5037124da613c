"""aioice's connection, guarded against the peer, and on the UDP ports that the server chose.

One of the files that touch private parts of aiortc and aioice (see `aiortc_patches`); its sockets
are those of `aiortc_socket`. This file replaces ``Connection``:

- The addresses learnt from checks are bounded, and unused sockets are closed. A connection that is
  closed while it connects starts nothing more. A neighbour that can't reach loopback is sent checks
  from this machine's other addresses.
- The call's `network` says on which ports it receives, and which public addresses it announces.

Written for aioice 0.13.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable
from typing import Any

from vision_agent.rtc import aiortc_socket, aiortc_stun, failures, network
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.aiortc_socket import (
    GuardedProtocol,
    SharedProtocol,
    TriggeredTransaction,
    host_candidate,
)
from vision_agent.rtc.aiortc_stun import server_reflexive
from vision_agent.rtc.own import aioice, aiortc
from vision_agent.rtc.own.aioice import stun
from vision_agent.rtc.own.aioice.candidate import Candidate
from vision_agent.rtc.own.aioice.ice import (
    Connection,
    ConnectionClosed,
    ConnectionEvent,
    StunProtocol,
)
from vision_agent.rtc.public_address import announced
from vision_agent.rtc.stun_header import LAST_STUN_BYTE
from vision_agent.rtc.udp_ports import OnePort, PortRange, bound_to
from vision_agent.rtc.udp_transport import UdpTransport

logger = logging.getLogger(__name__)

ice_module: Any = aioice.ice
stun_module: Any = aioice.stun
ice_transport_module: Any = aiortc.rtcicetransport

MAX_LEARNT_ADDRESSES = 10
"""How many of the peer's addresses are learnt from its checks; each is sent a check in return."""

MAX_WAITING_DATAGRAMS = 512
"""DTLS reads datagrams as they arrive; more than these wait only while it is not running."""

UNUSED_AFTER_ROUNDS = 3
"""A peer may nominate another pair shortly after it has connected, so no socket is closed at once.
"""

CONSENT_EVERY_S = 5.0
CONSENT_CHECKS = 4
"""With the time that the answer to each may take (`CONSENT_ANSWER_S`), consent expires after 26 to
34 s, on average the 30 s of RFC 7675 5.1. aioice gives each answer half a second, so that it ends
calls on slow paths."""

NO_CHECK_S = 1.0
"""Within this time a peer on this machine that reaches loopback has sent a check."""

_stock_addresses = aioice.ice.get_host_addresses
_ROLE_CONFLICT = 487  # RFC 8445 7.3.1.1; the only error that answers an authenticated check
_CLOSE_S = 2.0


class GuardedConnection(Connection):
    """An ICE connection with a peer that may be hostile.

    Attributes:
        checks: the number of authenticated connectivity and consent checks, sent by the peer or
            answered by it.
        consent_expired: whether it was closed because the peer did not answer consent checks.
        take_media: handles a datagram on arrival if it is media, and returns whether it was; not
            called while other datagrams wait for `recv`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _ports() is not None:
            # aiortc gives the connections of one peer the same; on one port they must differ.
            kwargs |= {"local_username": secrets.token_hex(8), "local_password": None}
        super().__init__(*args, **kwargs)
        self.checks = 0
        self.consent_expired = False
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

    async def query_consent(self) -> None:
        """Checks the peer's consent until `CONSENT_CHECKS` checks in a row had no answer."""
        assert self.remote_password is not None
        key = self.remote_password.encode()
        unanswered = 0
        while unanswered < CONSENT_CHECKS:
            await asyncio.sleep(CONSENT_EVERY_S * random.uniform(0.8, 1.2))
            pair = self._nominated[1]
            check = self.build_request(pair, nominate=False)
            try:
                await pair.protocol.request(check, pair.remote_addr, key, retransmissions=0)
                unanswered = 0
            except stun.TransactionError:
                unanswered += 1
        self.consent_expired = True
        self._query_consent_task = None  # `close` cancels it
        await self.close()

    async def close(self) -> None:
        """Closes the sockets, and lets go of the candidates, which hold this connection."""
        await super().close()
        self._check_list.clear()

    async def get_event(self) -> ConnectionEvent:
        """The next event; `ConnectionClosed` again once the connection is closed.

        aioice then returns None without suspending. aiortc, which reads events in a loop until
        `ConnectionClosed`, would block the event loop forever if the connection was closed before
        the loop had begun: a caller that hangs up right after its offer.
        """
        return await super().get_event() or ConnectionClosed()

    async def _meet_neighbour(self) -> None:
        await asyncio.sleep(NO_CHECK_S)
        call_network = network.current.get(None)
        if self.checks or call_network is None:
            return
        offered = [candidate.host for candidate in self._remote_candidates]
        addresses = call_network.more_addresses(offered, addresses_of_machine())
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

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 (aioice's signature)
    ) -> list[Candidate]:
        """Opens sockets on addresses of this machine, and gathers the candidates.

        Raises:
            NoFreePort: all ports of the server's range are taken.
        """
        opened = [await self._open(_ports(), component, address) for address in addresses]
        own = [protocol for protocol in opened if protocol is not None]
        hosts = [protocol.local_candidate for protocol in own]
        # aioice gathers what its own sockets would: without addresses, relayed candidates only.
        more = await asyncio.gather(
            super().get_component_candidates(component, [], timeout), server_reflexive(own)
        )
        candidates = [*hosts, *(candidate for found in more for candidate in found)]
        public = network.current.get(network.Network()).public_addresses
        for host, port in announced(public, [(each.host, each.port) for each in hosts]):
            candidates.insert(0, host_candidate((host, port), component))
        return candidates

    async def _open(
        self, ports: OnePort | PortRange | None, component: int, address: str
    ) -> GuardedProtocol | None:
        protocol: GuardedProtocol
        if isinstance(ports, OnePort):
            shared = await ports.socket_on(address)
            if shared is None:
                return None
            protocol = SharedProtocol(self, shared, component)
        else:
            try:
                bound = ports.bound_to(address) if ports is not None else bound_to(address, 0)
            except OSError as error:
                logger.warning("No UDP port on %s: %s.", address, error.strerror)
                return None
            protocol = GuardedProtocol(self)
            UdpTransport(bound, protocol)
            protocol.local_candidate = host_candidate(bound.getsockname()[:2], component)
        self._protocols.append(protocol)
        return protocol

    def request_received(
        self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """Handles a check from the peer, or from somebody who claims to be."""
        super().request_received(message, addr, protocol)
        # One that was authenticated before the connection knew the peer waits for `connect`.
        waits = self._early_checks and self._early_checks[-1][0] is message
        if waits and isinstance(protocol, GuardedProtocol):
            protocol.trust(addr)

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
            protocol.take_check(addr)

    def data_received(self, data: bytes, component: int) -> None:
        """Takes a datagram that is not valid STUN."""
        waiting = self._queue.qsize()
        if not waiting and self.take_media is not None and self.take_media(data):
            return
        # STUN that can't be parsed arrives here too.
        if data[0] <= LAST_STUN_BYTE or waiting >= MAX_WAITING_DATAGRAMS:
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


def _ports() -> OnePort | PortRange | None:
    call_network = network.current.get(None)
    return None if call_network is None else call_network.ports


def addresses_of_machine() -> list[str]:
    """All addresses of this machine, without loopback and link-local ones."""
    return _stock_addresses(use_ipv4=True, use_ipv6=True)


def install() -> None:
    """Installs the replacements in aioice's and aiortc's modules."""
    ice_module.StunProtocol = GuardedProtocol
    stun_module.Transaction = TriggeredTransaction
    ice_transport_module.Connection = GuardedConnection


_OVERRIDDEN: list[tuple[Any, str, list[str]]] = [
    (Connection, "connect", ["self"]),
    (Connection, "close", ["self"]),
    (Connection, "check_incoming", ["self", "message", "addr", "protocol"]),
    (Connection, "get_component_candidates", ["self", "component", "addresses", "timeout"]),
    (Connection, "_pair_remote_candidate", ["self", "remote_candidate"]),
    (Connection, "check_start_task", ["self", "pair"]),
    (Connection, "data_received", ["self", "data", "component"]),
    (Connection, "get_event", ["self"]),
    (Connection, "query_consent", ["self"]),
    (Connection, "request_received", ["self", "message", "addr", "protocol"]),
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
    (Connection.request_received, "_early_checks"),
    (Connection.get_component_candidates, "_protocols"),
    (Connection.connect, "query_consent"),
    (Connection.query_consent, "build_request"),
    (Connection.query_consent, "_query_consent_task"),
    (Connection.sendto, "_nominated"),
    (Connection.sendto, "remote_addr"),
    (aiortc.RTCIceGatherer.__init__, "_connection"),
    (aiortc.RTCIceGatherer.__init__, "Connection"),
    (aiortc.RTCIceTransport.__init__, "_connection"),
    (aiortc.RTCIceTransport._monitor, "get_event"),
    (aiortc.RTCIceTransport._monitor, "ConnectionClosed"),
]


def check() -> None:
    """Checks the parts of aioice that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    aiortc_socket.check()
    aiortc_stun.check()
    check_functions(_OVERRIDDEN)
    check_attributes(Connection, _ATTRIBUTES)
    check_uses(_USES)
