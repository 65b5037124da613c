"""Redirects plain HTTP on the HTTPS port to `https://`."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from vision_agent.calls.refusal import Refusal


class HttpsOnly:
    """Redirects requests that arrive without TLS.

    Args:
        app: The application, which gets the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["scheme"] == "https":
            await self._app(scope, receive, send)
        elif "host" not in (headers := Headers(scope=scope)):
            await Refusal(400, "This server speaks HTTPS.").response()(scope, receive, send)
        else:
            # 307 keeps the method, and unlike 308 browsers don't cache it: the next server on this
            # port may speak plain HTTP.
            target = scope["raw_path"].decode("ascii", "replace")
            if query := scope["query_string"].decode("ascii", "replace"):
                target = f"{target}?{query}"
            address = f"https://{headers['host']}{target}"
            await RedirectResponse(address, 307)(scope, receive, send)
