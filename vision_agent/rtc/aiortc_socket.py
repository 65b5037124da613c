"""aioice's UDP sockets, guarded against strangers, and shared by the calls where there is one port.

One of the files that touch private parts of aiortc and aioice (see `aiortc_patches`). A UDP socket
takes datagrams from everyone who finds its port. aioice hands every datagram that is not STUN to
DTLS, and an empty one ends the connection. `GuardedProtocol` replaces its ``StunProtocol``: a
datagram that is not STUN is let in only from an address that has passed a connectivity check on
this socket. A peer can't send data earlier: one of its own checks has to succeed first
(RFC 8445 12.1), and this side answers a check only after it has authenticated it.

`SharedProtocol` is the same for one connection's share of a `SharedSocket`.

Written for aioice 0.13.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any

from vision_agent.rtc import failures
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.own.aioice import stun
from vision_agent.rtc.own.aioice.candidate import (
    Candidate,
    candidate_foundation,
    candidate_priority,
)
from vision_agent.rtc.own.aioice.ice import StunProtocol
from vision_agent.rtc.shared_socket import MAX_ADDRESSES, Address, SharedSocket
from vision_agent.rtc.stun_header import LAST_STUN_BYTE

CONSENT_ANSWER_S = 2.5
"""How long the response to a consent check may take. aioice's 0.5 s ends the call after half a
minute on a slower path."""

_NOT_HANDLED = "A datagram could not be handled"


def _ignore(data: bytes) -> None:
    """Does nothing."""


class TriggeredTransaction(stun.Transaction):
    """A check that is sent again at an even rate once its address has sent a check itself.

    aioice doubles the interval, so four lost packets cost 7.5 seconds, and a check from the peer
    triggers none in return while an earlier one waits (RFC 8445 7.3.1.4). An address that sends no
    check is sent no more than by aioice. The limits on the time to connect end the repetition.
    """

    # aioice's own.
    _Transaction__addr: Address
    _Transaction__protocol: Any
    _Transaction__timeout_delay: float
    _Transaction__timeout_handle: asyncio.TimerHandle | None
    _Transaction__tries: int
    _Transaction__tries_max: int

    def trigger(self) -> None:
        """Sends the request again now, because its address has sent a check.

        A consent check is sent once: its answer is only waited for.
        """
        timer = self._Transaction__timeout_handle
        if timer is not None and not self._is_consent:
            timer.cancel()
            self._Transaction__retry()

    def _Transaction__retry(self) -> None:
        protocol = self._Transaction__protocol
        checked = isinstance(protocol, GuardedProtocol) and self.addr in protocol.checked_by
        if self._is_consent:
            self._Transaction__timeout_delay = CONSENT_ANSWER_S
        elif checked:
            self._Transaction__timeout_delay = stun.RETRY_RTO
            self._Transaction__tries = min(self._Transaction__tries, 1)
        super()._Transaction__retry()  # type: ignore[misc]

    @property
    def _is_consent(self) -> bool:
        return self._Transaction__tries_max == 1

    @property
    def addr(self) -> Address:
        """Where the request is sent."""
        return self._Transaction__addr


class GuardedProtocol(StunProtocol):
    """A UDP socket of a connection that ignores strangers.

    Args:
        receiver: the connection, a `GuardedConnection`.

    Attributes:
        checked_by: the addresses of authenticated checks; `GuardedConnection` bounds their number.
        data_packets: how many datagrams other than STUN were let in.
        data_packets_before: `data_packets` at the last round of `GuardedConnection.close_unused`.
        quiet_rounds: how many rounds in a row no such datagram was let in.
    """

    receiver: Any

    def __init__(self, receiver: Any) -> None:
        super().__init__(receiver)
        self.checked_by: set[Address] = set()
        self.data_packets = 0
        self.quiet_rounds = 0
        self.data_packets_before = 0
        self._trusted: dict[Address, None] = {}

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Takes a datagram from the socket, or from the TURN server."""
        assert isinstance(data, bytes)
        if data and data[0] <= LAST_STUN_BYTE:
            self.take_stun(data, addr)
        elif data and addr[:2] in self._trusted:
            self.take_data(data)
        else:
            failures.drop_datagram()

    def take_data(self, data: bytes) -> None:
        """Handles a datagram of an address that `trust` has marked."""
        self.data_packets += 1
        try:
            self.receiver.data_received(data, self.local_candidate.component)
        except Exception as error:  # whatever one datagram causes
            failures.report(_NOT_HANDLED, error)

    def take_stun(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Handles a STUN message."""
        try:
            super().datagram_received(data, addr)
        except Exception as error:  # whatever one message causes
            failures.report(_NOT_HANDLED, error)

    def trust(self, addr: Address, *, answered: bool = False) -> None:
        """Marks an address as the peer's: its datagrams other than STUN are for DTLS.

        Args:
            addr: has passed a check.
            answered: whether it has answered a check, and not only sent one.
        """
        self._trusted.pop(addr, None)
        self._trusted[addr] = None
        if len(self._trusted) > MAX_ADDRESSES:
            del self._trusted[next(iter(self._trusted))]

    def take_check(self, addr: Address) -> None:
        """Notes that an address has sent a check, and repeats the one that it has not answered."""
        self.checked_by.add(addr)
        for transaction in list(self.transactions.values()):
            if isinstance(transaction, TriggeredTransaction) and transaction.addr == addr:
                transaction.trigger()

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """Sends a check and waits for its answer."""
        response, source = await super().request(request, addr, integrity_key, retransmissions)
        if integrity_key is not None:
            self.receiver.checks += 1
            if source == addr:
                self.trust(addr, answered=True)
        return response, source


class SharedProtocol(GuardedProtocol):
    """A connection's share of a socket that many connections use; a `Member`.

    Args:
        receiver: the connection; its own user name fragment must be unlike all others.
        shared: the socket, which has been started.
        component: the connection's component, 1 for RTP.

    Attributes:
        fragment: the connection's own user name fragment.
        deliver: `take_data`, in the context of the peer that this object was made for.
    """

    def __init__(self, receiver: Any, shared: SharedSocket, component: int) -> None:
        super().__init__(receiver)
        self.fragment: bytes = receiver.local_username.encode()
        self._context = contextvars.copy_context()
        run: Any = self._context.run
        self.deliver: Callable[[bytes], None] = partial(run, self.take_data)
        self._shared = shared
        self.transport = shared.transport
        self.local_candidate = host_candidate(shared.address, component)
        shared.join(self)

    def deliver_stun(self, data: bytes, addr: Address) -> None:
        """Handles a STUN message, in the context of the peer."""
        self._context.run(self.take_stun, data, addr)

    def trust(self, addr: Address, *, answered: bool = False) -> None:
        """Marks an address as the peer's, on this socket."""
        self._shared.claim(addr, self, answered=answered)

    def uses(self, addr: Address) -> bool:
        """Whether the connection sends its media to this address."""
        pairs = self.receiver._nominated.values()
        return any(pair.protocol is self and pair.remote_addr == addr for pair in pairs)

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """Sends a check, or a request to a STUN server, and waits for its answer."""
        self._shared.expect(request.transaction_id, self)
        try:
            return await super().request(request, addr, integrity_key, retransmissions)
        finally:
            self._shared.forget(request.transaction_id)

    async def close(self) -> None:
        """Leaves the socket, which stays open for the others."""
        self._shared.leave(self)
        self.deliver = _ignore
        self.connection_lost(None)


def host_candidate(address: Address, component: int) -> Candidate:
    """The candidate of a socket on one of this machine's addresses (RFC 8445 5.1.1.1)."""
    host, port = address
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )


_OVERRIDDEN_OR_CALLED: list[tuple[Any, str, list[str]]] = [
    (StunProtocol, "connection_made", ["self", "transport"]),
    (StunProtocol, "connection_lost", ["self", "exc"]),
    (StunProtocol, "datagram_received", ["self", "data", "addr"]),
    (StunProtocol, "request", ["self", "request", "addr", "integrity_key", "retransmissions"]),
    (StunProtocol, "close", ["self"]),
    (stun.Transaction, "_Transaction__retry", ["self"]),
]
_TRANSACTION = {
    "_Transaction__addr",
    "_Transaction__protocol",
    "_Transaction__timeout_delay",
    "_Transaction__timeout_handle",
    "_Transaction__tries",
    "_Transaction__tries_max",
}
_USES: list[tuple[Any, str]] = [
    (StunProtocol.datagram_received, "data_received"),
    (StunProtocol.datagram_received, "local_candidate"),
    (StunProtocol.datagram_received, "request_received"),
    (StunProtocol.datagram_received, "transactions"),
    (StunProtocol.connection_lost, "protocol_lost"),
    (StunProtocol.request, "Transaction"),
    (StunProtocol.send_data, "sendto"),
    (StunProtocol.send_stun, "sendto"),
    (StunProtocol.close, "transport"),
]


def check() -> None:
    """Checks the parts of aioice that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions(_OVERRIDDEN_OR_CALLED)
    check_attributes(StunProtocol, {"receiver", "transactions"})
    check_attributes(stun.Transaction, _TRANSACTION)
    check_uses(_USES)
