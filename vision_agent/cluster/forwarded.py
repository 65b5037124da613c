"""How an ingress passes a request on to a worker, and how the worker takes it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vision_agent.calls.refusal import Refusal

_KEY = "x-vision-agent-key"
_CONNECTION = "x-vision-agent-connection"
_RESTORED = ("client", "server", "scheme", "root_path")

HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
"""Headers that are about one connection (RFC 9110 7.6.1)."""


def headers_for(scope: Mapping[str, Any], key: str) -> list[tuple[str, str]]:
    """The headers of a request for a worker: the caller's, and a description of its connection.

    Args:
        scope: The request's ASGI scope.
        key: The worker's key.
    """
    ours = (_KEY, _CONNECTION)
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    about = {name: scope.get(name) for name in _RESTORED}
    return [
        *((name, value) for name, value in headers if name not in HOP_BY_HOP | {*ours}),
        (_KEY, key),
        (_CONNECTION, json.dumps(about)),
    ]


class Forwarded:
    """Accepts requests of ingresses only, and passes them on as they reached the ingress.

    So every check of the server decides as if the caller had connected to it directly.

    Args:
        app: The application.
        key: The key that an ingress has to send.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not secrets.compare_digest(headers.get(_KEY, "").encode(), self._key):
            refusal = Refusal(403, "This is a worker of a cluster: call the cluster's address.")
            await refusal.response()(scope, receive, send)
            return
        about = json.loads(headers[_CONNECTION])
        for name in ("client", "server"):
            about[name] = about[name] and tuple(about[name])
        others = [(n, v) for n, v in scope["headers"] if n.decode() not in (_KEY, _CONNECTION)]
        await self._app({**scope, **about, "headers": others}, receive, send)
