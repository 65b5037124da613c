"""The path under which others see the application: behind a proxy, or in another application."""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vision_agent.addresses import Proxies, is_replaced

_PREFIX = re.compile(r"(/[\w.~%!$&'()*+,;=:@-]+)+")
"""Empty segments are excluded: a redirect to `//example.org` would lead to another server."""

MAX_PREFIX_CHARS = 200


def shown_under(scope: Scope, prefix: str) -> dict[str, Any]:
    """A request's scope with the prefix in `root_path` and in `path`, as ASGI defines it.

    Args:
        scope: The scope. The proxy may have passed the prefix on, or have stripped it.
        prefix: The path without its last slash.
    """
    root, path = scope.get("root_path", ""), scope["path"]
    if f"{path}/".startswith(f"{prefix}/"):
        return {**scope, "root_path": max(root, prefix, key=len)}
    return _prefixed(scope, prefix)


def _prefixed(scope: Scope, prefix: str) -> dict[str, Any]:
    root = scope.get("root_path", "")
    return {**scope, "root_path": prefix + root, "path": prefix + scope["path"]}


class ShownUnder:
    """Finds the prefix of a request, so that redirects and `Location` headers lead back here.

    Args:
        app: The application.
        root_path: The prefix; empty if there is none.
        proxies: The proxies whose `X-Forwarded-Prefix` is trusted if `root_path` is empty. Callers
            can send that header too, and many proxies pass it on. So it is only put in front of the
            path, and never decides which path is served, because the proxy may have hidden paths.
    """

    def __init__(self, app: ASGIApp, root_path: str, proxies: Proxies) -> None:
        self._app = app
        self._root_path = root_path
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            if self._root_path:
                scope = shown_under(scope, self._root_path)
            elif prefix := self._forwarded(scope):
                scope = _prefixed(scope, prefix)
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        peer = (scope.get("client") or ("", None))[0]
        if not (is_replaced(scope) or self._proxies.trusted(peer)):
            return ""
        prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
        return prefix if len(prefix) <= MAX_PREFIX_CHARS and _PREFIX.fullmatch(prefix) else ""
