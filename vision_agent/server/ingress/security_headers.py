"""Security headers on every response: what the page may load and use, and who may frame it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'"
)
"""All content is loaded from this server."""

_DEVICES = (
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=(), "
    "serial=(), hid=(), midi=()"
)


def security_headers(frame_ancestors: Sequence[str]) -> dict[str, str]:
    """The headers.

    Args:
        frame_ancestors: Origins whose pages may show ours in a frame (CSP Level 3). None by
            default: a click in a hidden frame could start a call.
    """
    framed = " ".join(frame_ancestors) or "'none'"
    headers = {
        "Content-Security-Policy": f"{_CONTENT}; frame-ancestors {framed}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": _DEVICES,
    }
    if not frame_ancestors:
        headers["X-Frame-Options"] = "DENY"
    return headers


class SecurityHeaders:
    """Adds the security headers.

    Args:
        app: The application.
        frame_ancestors: See `security_headers`.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str]) -> None:
        self._app = app
        self._headers = security_headers(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = list(message.get("headers", ()))
                MutableHeaders(raw=message["headers"]).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
