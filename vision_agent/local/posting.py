"""WebSocket connections that also take an HTTP request with a body.

The websockets library reads nothing but ``GET`` without a body, which is all that WebSockets need.
An ephemeral token is made by ``POST``. `PostingConnection` keeps method and body of such a request
aside and hands the library the rest as a ``GET``; the server answers before a WebSocket opens.
"""

from __future__ import annotations

from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection

MAX_HEAD_BYTES = 64 * 2**10
MAX_BODY_BYTES = 64 * 2**10

_GET = b"GET "


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that is not a plain ``GET``.

    Attributes:
        method: As in ``POST``.
        body: What came with it; None if its length is not said, or too large.
        as_get: The same request as a ``GET``, without what tells of a body.
    """

    method: str
    body: bytes | None
    as_get: bytes


def read_posted(received: bytes) -> Posted | None:
    """The request in ``received``; None while it is incomplete.

    What has no end within `MAX_HEAD_BYTES` is handed on as it is, for the library to refuse.
    """
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return Posted("", None, received) if len(received) > MAX_HEAD_BYTES else None
    line, *headers = head.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    about_body = [header for header in headers if _name(header).startswith((b"content-", b"trans"))]
    kept = [header for header in headers if header not in about_body]
    lengths = [h.partition(b":")[2].strip() for h in about_body if _name(h) == b"content-length"]
    length = int(lengths[0]) if lengths and lengths[0][:9].isdigit() else None
    as_get = b"\r\n".join((_GET + rest, *kept, b"", b""))
    word = method.decode("ascii", errors="replace")
    if length is None or length > MAX_BODY_BYTES:
        return Posted(word, None, as_get)
    return Posted(word, body[:length], as_get) if len(body) >= length else None


def _name(header: bytes) -> bytes:
    return header.partition(b":")[0].strip().lower()


class PostingConnection(ServerConnection):
    """A connection whose first request may have any method.

    Attributes:
        posted: The request's method and body; None for a plain ``GET``.
    """

    posted: Posted | None = None
    _received = b""
    _handed_on = False

    def data_received(self, data: bytes) -> None:
        """Collects the first request, unless it is a ``GET``, and hands everything else on."""
        if self._handed_on:
            # No WebSocket comes of another method: the rest of a body that is too long is dropped.
            if self.posted is None:
                super().data_received(data)
            return
        self._received += data
        if self._received[:4] == _GET[: len(self._received)]:
            if len(self._received) < len(_GET):
                return
            handed = self._received
        else:
            self.posted = read_posted(self._received)
            if self.posted is None:
                return
            handed = self.posted.as_get
        self._handed_on, self._received = True, b""
        super().data_received(handed)
