"""Accepts connections with and without TLS on one port, told apart by their first byte.

uvicorn serves only one of the two. A person who types the address without `https://` would get an
empty page.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from vision_agent.addresses import parse_address
from vision_agent.server.certificate import Certificate
from vision_agent.server.ingress.connections import Connections
from vision_agent.server.listening import BACKLOG

logger = logging.getLogger(__name__)

START_WITHIN_S = 10.0
"""The time limit for the first byte and the TLS handshake."""

SHORTAGE_S = 1.0
"""The pause after the machine has refused a connection, equal to asyncio's."""

_TLS_HANDSHAKE = b"\x16"  # RFC 8446 5.1


class TlsListener:
    """Accepts connections on a socket and hands each to a protocol.

    Args:
        bound: A bound socket, which the caller closes.
        certificate: Gives the TLS settings of each connection.
        make_protocol: Makes the protocol of a connection.
        starting: Decides which connections are kept before their TLS handshake is done.
    """

    def __init__(
        self,
        bound: socket.socket,
        certificate: Certificate,
        *,
        make_protocol: Callable[[], asyncio.Protocol],
        starting: Connections[asyncio.Task[None]],
    ) -> None:
        self._bound = bound
        self._certificate = certificate
        self._make_protocol = make_protocol
        self._starting = starting
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept(), name="accepting connections")

    async def close(self) -> None:
        """Accept no more, and drop the connections that have not started."""
        tasks = [self._accepting, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._bound.listen(BACKLOG)
        self._bound.setblocking(False)
        while True:
            try:
                connection, peer = await loop.sock_accept(self._bound)
            except ConnectionAbortedError:
                continue  # the caller left before it was accepted
            except OSError as error:
                # Worded as asyncio reports a shortage of descriptors, so that it is logged in the
                # same way.
                message = "no connection can be accepted"
                loop.call_exception_handler({"message": message, "exception": error})
                await asyncio.sleep(SHORTAGE_S)
                continue
            task = asyncio.create_task(self._start(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(self._starting.closed)
            excess = self._starting.opened(task, str(peer[0]))
            if excess is not None:
                excess.cancel()

    async def _start(self, connection: socket.socket) -> None:
        """Hand a connection to its protocol, which then owns it."""
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            async with asyncio.timeout(START_WITHIN_S):
                first = await _first_byte(connection)
                context = None
                if first == _TLS_HANDSHAKE:
                    address = str(parse_address(connection.getsockname()[0]))
                    context = self._certificate.context_for(address, loop.time())
                if first:
                    await loop.connect_accepted_socket(self._make_protocol, connection, ssl=context)
                    return
        except (TimeoutError, OSError) as error:
            # A browser that does not trust the certificate ends its first handshake, and so do
            # scanners.
            logger.debug("a connection did not start: %s", error)
        except asyncio.CancelledError:
            connection.close()
            raise
        connection.close()


async def _first_byte(connection: socket.socket) -> bytes:
    """The first byte of a connection, which stays to be read; empty if it has ended."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)
