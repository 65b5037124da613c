"""Bounds on TCP connections: how many are kept, for how long, and how much one may send.

uvicorn has no timeout for a request and no bound per address. It would keep a connection that sends
nothing, half a header or half a body forever. Nor does it bound data outside of bodies: 100 MB of
headers took 230 MB, and 41 MB of requests, none of whose answers was read, 1.7 GB.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS_WITHIN_S = 10.0
"""The time limit for a request's line and headers, from the start of the connection or the end of
the last response."""

LEAVES_WITHIN_S = 0.2
"""The time limit for a connection without a request when the server ends; TLS would wait for the
client's close notification."""

REQUEST_WITHIN_S = 60.0
"""The time limit for a request, from its headers to the end of its response, against slow
readers."""

MAX_HEAD_BYTES = 128 * 1024
"""The most bytes of a request outside its body: line, headers, trailers and chunk markers."""

MAX_PIPELINED = 16
"""The most pipelined requests that wait on a connection for an earlier answer; no browser
pipelines."""

_Connection = TypeVar("_Connection", bound=Hashable)


class Connections(Generic[_Connection]):
    """Decides which connections are kept. It does no I/O.

    A connection is idle while it has no complete request that is being served. When one too many is
    opened, the one that has been idle longest is closed, so that idle connections shut nobody out.

    Args:
        at_most: How many are kept.
        per_address: How many of one address.
        unlimited: Whether an address is exempt from `per_address`.
    """

    def __init__(
        self, at_most: int, per_address: int, unlimited: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._at_most = at_most
        self._per_address = per_address
        self._unlimited = unlimited
        self._idle: dict[_Connection, str] = {}
        self._busy: dict[_Connection, str] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def opened(self, connection: _Connection, address: str) -> _Connection | None:
        """Take a new connection; returns the one to close for it, which may be the new one."""
        self._idle[connection] = address
        self._of[address] += 1
        if self._of[address] > self._per_address and not self._unlimited(address):
            excess = self._longest_idle(lambda of: of == address)
        elif len(self) > self._at_most:
            excess = self._longest_idle(lambda of: True)
        else:
            return None
        self.closed(excess)  # now: more may be opened before its transport reports the end
        return excess

    def busy(self, connection: _Connection) -> None:
        """A request of a connection has arrived completely and is being served."""
        if (address := self._idle.pop(connection, None)) is not None:
            self._busy[connection] = address

    def idle(self, connection: _Connection) -> None:
        """A connection's response is complete."""
        if (address := self._busy.pop(connection, None)) is not None:
            self._idle[connection] = address

    def is_busy(self, connection: _Connection) -> bool:
        """Whether a request of a connection is being served."""
        return connection in self._busy

    def closed(self, connection: _Connection) -> None:
        """A connection is closed."""
        address = self._idle.pop(connection, None)
        if address is None:
            address = self._busy.pop(connection, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _longest_idle(self, wanted: Callable[[str], bool]) -> _Connection:
        # There is always one, because the newest connection is idle too.
        return next(one for one, address in self._idle.items() if wanted(address))


_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "DELETE")


def _answer(status: bytes, text: bytes, headers: bytes = b"") -> bytes:
    body = b'{"error":"%s"}' % text
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s"
    return head % (status, len(body), headers) + b"Connection: close\r\n\r\n" + body


_TOO_MANY = _answer(
    b"503 Service Unavailable",
    b"The server has too many connections. Try again shortly.",
    b"Retry-After: 5\r\n",
)
_TOO_LARGE = _answer(
    b"431 Request Header Fields Too Large", b"The headers of this request are too large."
)
_TOO_FAST = _answer(
    b"429 Too Many Requests", b"Too many requests wait for an answer on this connection."
)
_MALFORMED = _answer(b"400 Bad Request", b"This is no HTTP request that can be understood.")


def bounded_protocol(
    connections: Connections[Any],
    *,
    headers_within_s: float = HEADERS_WITHIN_S,
    request_within_s: float = REQUEST_WITHIN_S,
) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol with bounds, for `uvicorn.Config.http`.

    Args:
        connections: Decides which connections are kept.
        headers_within_s: See `HEADERS_WITHIN_S`.
        request_within_s: See `REQUEST_WITHIN_S`.
    """

    class Bounded(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._serve: Any = self.config.loaded_app
            self.app = self._serve_in_time
            self._deadline: asyncio.TimerHandle | None = None
            self._head_bytes = 0
            self._refusal = _MALFORMED

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            peer = transport.get_extra_info("peername")
            address = str(peer[0]) if isinstance(peer, tuple) else ""
            excess = connections.opened(self, address)
            if excess is self:
                transport.write(_TOO_MANY)
                transport.close()
                return
            if excess is not None:
                excess.transport.abort()
            self._expect(headers_within_s)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self)
            self._expect(None)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._head_bytes += len(data)
            super().data_received(data)
            # uvicorn's other parser, h11, has bounds of its own.
            if self._head_bytes > MAX_HEAD_BYTES and hasattr(super(), "on_message_begin"):
                self.transport.write(_TOO_LARGE)
                self.transport.close()

        def on_message_begin(self) -> None:
            self._head_bytes = 0
            super().on_message_begin()

        def on_body(self, body: bytes) -> None:
            self._head_bytes -= len(body)
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._head_bytes = 0
            super().on_message_complete()

        def on_headers_complete(self) -> None:
            if len(self.pipeline) >= MAX_PIPELINED:
                self._refusal = _TOO_FAST
                raise ValueError("too many requests wait")  # the parser stops
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            """An unparsable request is refused like any other."""
            self.transport.write(self._refusal)
            self.transport.close()

        def shutdown(self) -> None:
            """Ends without waiting for a request that has not arrived completely."""
            super().shutdown()
            if not connections.is_busy(self):
                self._expect(LEAVES_WITHIN_S)

        async def _serve_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def receive_whole() -> Message:
                message = await receive()
                if not message.get("more_body", False):
                    connections.busy(self)
                return message

            if scope["method"] in _WITHOUT_BODY:
                connections.busy(self)
            self._expect(request_within_s)
            try:
                await self._serve(scope, receive_whole, send)
            finally:
                if not self.transport.is_closing():
                    connections.idle(self)
                    self._expect(headers_within_s)

        def _expect(self, within_s: float | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            if within_s is not None:
                loop = asyncio.get_running_loop()
                self._deadline = loop.call_later(within_s, self.transport.abort)

    return Bounded
