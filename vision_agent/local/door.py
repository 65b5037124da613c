"""The listening socket: bounds the connections that have not sent a request yet.

A TCP connection costs the server some 300 kB as soon as TLS is set up for it, long before the
client can be identified. asyncio accepts connections without a bound, so ``accept`` enforces one.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any


class Door(socket.socket):
    """A listening socket, to be passed to asyncio as ``sock``.

    If ``most`` accepted connections are in the TLS or HTTP handshake, each further one cuts off the
    oldest of them: a new client always gets in, and a flood costs a bounded amount of memory.

    Args:
        host: The address to listen on.
        port: The TCP port, or 0 for any free one.
        most: How many connections may be in the handshake.

    Raises:
        OSError: Listening on the address is not possible.
    """

    def __init__(self, host: str, port: int, most: int) -> None:
        # IPv4 first: "localhost" has both, and the certificate is made for 127.0.0.1.
        found = sorted(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE),
            key=lambda info: info[0] != socket.AF_INET,
        )
        family, *_, address = found[0]
        listening = socket.create_server(address[:2], family=family)
        # With an explicit protocol asyncio sets TCP_NODELAY, which sends small messages at once.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listening.detach())
        self._most = most
        self._waiting: dict[Any, _Visitor] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next connection, like `socket.socket.accept`."""
        accepted, address = super().accept()
        while len(self._waiting) >= self._most:
            oldest = next(iter(self._waiting))
            self._waiting.pop(oldest).cut()
        visitor = _Visitor(accepted, lambda: self.let_in(address))
        self._waiting[address] = visitor
        return visitor, address

    def let_in(self, address: Any) -> None:
        """Stop counting the connection from this address: it has got a line, or has ended."""
        self._waiting.pop(address, None)


class _Visitor(socket.socket):
    """An accepted connection that calls back when it is closed."""

    def __init__(self, accepted: socket.socket, on_close: Callable[[], None]) -> None:
        family, proto = accepted.family, socket.IPPROTO_TCP
        super().__init__(family, accepted.type, proto, accepted.detach())
        self._on_close = on_close

    def cut(self) -> None:
        # The transport reads EOF and closes the connection.
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._on_close()
        super().close()
