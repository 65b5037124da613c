"""Bounds on a request's body: its size, and the time it takes to arrive."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vision_agent.calls.refusal import Refusal

MAX_BODY_BYTES = 64 * 1024
"""An offer is at most 16 KB of SDP; this leaves room for its JSON."""

ARRIVES_WITHIN_S = 10.0

LINGER_S = 1.0
LINGER_BYTES = 1024 * 1024
"""How long, and how far, the rest of a refused body is read. Closing a connection with unread data
would reset it, and the client would not see the response."""


class BoundedBody:
    """Refuses bodies larger than `MAX_BODY_BYTES` (413) or slower than a deadline (408).

    A body whose announced size is too large is refused before any of it is read.

    Args:
        app: The application.
        within_s: The deadline.
    """

    def __init__(self, app: ASGIApp, within_s: float = ARRIVES_WITHIN_S) -> None:
        self._app = app
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._within_s)
        if _announced_bytes(scope) > MAX_BODY_BYTES:
            await body.too_large().response()(scope, receive, body.send)
        else:
            await self._app(scope, body.receive, body.send)


class _Body:
    """Receives one request's body, and sends the response that may refuse it."""

    def __init__(self, receive: Receive, send: Send, within_s: float) -> None:
        self._receive = receive
        self._send = send
        self._due_s = asyncio.get_running_loop().time() + within_s
        self._bytes = 0
        self._complete = False
        self._refused = False

    def too_large(self) -> Refusal:
        self._refused = True
        return Refusal(413, f"The body is larger than {MAX_BODY_BYTES // 1024} KB.")

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._due_s):
                message = await self._next()
        except TimeoutError:
            self._refused = True
            raise Refusal(408, "The body did not arrive in time. Send it again.") from None
        if self._bytes > MAX_BODY_BYTES:
            raise self.too_large()
        return message

    async def send(self, message: Message) -> None:
        if not self._refused:
            await self._send(message)
        elif message["type"] == "http.response.start":
            MutableHeaders(raw=message["headers"])["Connection"] = "close"
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            if not message.get("more_body", False):
                await self._linger()
                await self._send({"type": "http.response.body", "body": b""})

    async def _next(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def _linger(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while not self._complete and self._bytes < LINGER_BYTES:
                    await self._next()


def _announced_bytes(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "")
    # Python refuses to convert thousands of digits; 18 are enough to be too large.
    return int(text[:18]) if text.isascii() and text.isdigit() else 0
