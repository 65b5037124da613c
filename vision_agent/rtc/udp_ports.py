"""The UDP ports of calls: one for all of them, or one of a range for each."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Iterable

from vision_agent.rtc.shared_socket import SharedSocket

logger = logging.getLogger(__name__)

_NOT_OF_THIS_MACHINE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_TRIES = 16


class CannotReceive(RuntimeError):
    """A UDP port can't be used; the text says why, and what to choose instead."""


class NoFreePort(RuntimeError):
    """Every UDP port of a range is taken."""


class OnePort:
    """One UDP port for all calls.

    A socket is bound to each of this machine's addresses, because a socket on the wildcard address
    does not say at which of them a check has arrived, and would answer it from another one.

    Args:
        port: the port; 0 takes any free one.
        needed: whether another port will not do. Otherwise a free one is taken if this one can't
            be had.

    Attributes:
        port: the port in use.
        replaced: why another port is in use than the one that was asked for; empty if it is not.
    """

    def __init__(self, port: int, *, needed: bool) -> None:
        self.port = port
        self.replaced = ""
        self._needed = needed
        self._sockets: dict[str, SharedSocket] = {}
        self._opening = asyncio.Lock()

    def bind(self, addresses: Iterable[str]) -> None:
        """Binds the port on these addresses; those that this machine does not have are left out.

        Raises:
            CannotReceive: the port is taken or not allowed.
        """
        if self._sockets:
            return
        addresses = list(addresses)
        try:
            self._bind_all(addresses, self.port)
        except CannotReceive as error:
            if self._needed:
                raise
            self._bind_any(addresses)
            self.replaced = f"{error} Calls use UDP port {self.port} instead."
            logger.warning("%s", self.replaced)

    async def start(self) -> None:
        """Begins to receive on all bound sockets."""
        for shared in self._sockets.values():
            shared.start()

    async def socket_on(self, address: str) -> SharedSocket | None:
        """The shared socket on an address of this machine.

        An address that this machine did not have at the start, such as that of a network it has
        joined since, gets its socket now, until no call uses it any more; None if that can't be
        bound.
        """
        async with self._opening:
            shared = self._sockets.get(address)
            if shared is None:
                try:
                    bound = bound_to(address, self.port)
                except OSError as error:
                    logger.warning("UDP port %d on %s: %s.", self.port, address, error.strerror)
                    return None
                shared = SharedSocket(bound, on_empty=lambda: self._unbind(address))
                self._sockets[address] = shared
                shared.start()
            return shared

    def _unbind(self, address: str) -> None:
        # Empty after `close`.
        if (unused := self._sockets.pop(address, None)) is not None:
            unused.transport.close()

    async def close(self) -> None:
        """Closes all sockets."""
        sockets = list(self._sockets.values())
        self._sockets.clear()
        for shared in sockets:
            await shared.close()

    def _bind_all(self, addresses: list[str], port: int) -> None:
        sockets: dict[str, SharedSocket] = {}
        try:
            for address in addresses:
                try:
                    bound = bound_to(address, port)
                except OSError as error:
                    if error.errno in _NOT_OF_THIS_MACHINE:
                        continue
                    raise CannotReceive(
                        f"UDP port {port} on {address} can't be used: {error.strerror}. "
                        "Choose another with --udp-port (0: random ones), or a range for several "
                        "servers with --udp-ports."
                    ) from error
                sockets[address] = SharedSocket(bound)
                port = bound.getsockname()[1]
            if not sockets:
                raise CannotReceive(
                    f"There is no UDP port on {', '.join(addresses)}: this machine has no such "
                    "address. Choose one with VISION_AGENT_MEDIA_HOST."
                )
        except CannotReceive:
            for shared in sockets.values():
                shared.discard()
            raise
        self._sockets, self.port = sockets, port

    def _bind_any(self, addresses: list[str]) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self._bind_all(addresses, 0)
            except CannotReceive:  # free on the first address, but taken on another
                if not left:
                    raise
            else:
                return


class PortRange:
    """A UDP port of a range for each connection, for several servers behind one firewall.

    Args:
        first: the lowest port.
        last: the highest port.
    """

    def __init__(self, first: int, last: int) -> None:
        self._ports = range(first, last + 1)
        self._next = 0

    def bind(self, addresses: Iterable[str]) -> None:
        """Checks that a port is free.

        Raises:
            CannotReceive: none is.
        """
        address = next(iter(addresses))
        try:
            self.bound_to(address).close()
        except OSError as error:
            raise CannotReceive(
                f"No UDP port from {self} can be used on {address}: {error.strerror}. "
                "Choose others with --udp-ports."
            ) from error
        except NoFreePort as error:
            raise CannotReceive(f"{error} Choose others with --udp-ports.") from error

    async def start(self) -> None:
        """Does nothing: each connection opens its own socket."""

    async def close(self) -> None:
        """Does nothing: each connection closes its own socket."""

    def bound_to(self, address: str) -> socket.socket:
        """A socket on a free port. The ports are taken in turn: late packets of a call find none.

        Raises:
            NoFreePort: all are taken on this address.
            OSError: the address can't be bound.
        """
        for _ in self._ports:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            try:
                return bound_to(address, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise NoFreePort(f"All UDP ports from {self} are taken on {address}.")

    def __str__(self) -> str:
        return f"{self._ports[0]} to {self._ports[-1]}"


def bound_to(address: str, port: int) -> socket.socket:
    """A UDP socket on an address and a port of this machine.

    Raises:
        OSError: it can't be bound.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound
