"""The application as a router that another FastAPI application includes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPMethod
from typing import Any

from fastapi import APIRouter, Request
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vision_agent.server.ingress.prefix import shown_under

HOST_REQUEST = "vision_agent.host_request"
"""Key in a request's scope for the request as the including application has it."""

WEBDAV_METHODS = ("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH")
METHODS = [*HTTPMethod, *WEBDAV_METHODS]
"""All methods are passed to the application, which refuses most of them in its own words."""


def host_request(request: Request) -> Request:
    """The request as the including application has it: with its `app`, `state` and `user`."""
    whole: Request = request.scope.get(HOST_REQUEST, request)
    return whole


def mounted(app: ASGIApp, lifespan: Callable[[Any], Any]) -> APIRouter:
    """A router with one route, behind which the whole application stands.

    So the including application's dependencies guard every address, and its middleware, exception
    handlers and default responses change none of the answers.

    Args:
        app: The application.
        lifespan: Runs what requests need; FastAPI runs it within the including application's.
    """
    router = _Router(lifespan=lifespan)

    async def enter(request: Request) -> Response:
        return _Behind(app, request)

    router.add_api_route(
        "/{path:path}",
        enter,
        methods=METHODS,
        response_model=None,
        include_in_schema=False,
        name="vision_agent",
    )
    return router


class _Router(APIRouter):
    """Also an application, for `Mount` in a Starlette application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; FastAPI's routes need what a FastAPI application has around them."""
        await AsyncExitStackMiddleware(super().__call__)(scope, receive, send)


class _Behind(Response):
    """The response that the application gives.

    Args:
        app: The application.
        request: The request as the including application has it.
    """

    def __init__(self, app: ASGIApp, request: Request) -> None:
        super().__init__()
        self._app = app
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(_seen_inside(scope, self._request), self._receiving(receive), send)
        if self.background is not None:
            await self.background()

    def _receiving(self, receive: Receive) -> Receive:
        """Gives the body to the application and to the including application's request.

        A dependency of the including application reads it before, or `identify` afterwards.
        """
        parts: list[bytes] | None = []

        async def receive_or_repeat() -> Message:
            nonlocal parts
            # Starlette keeps a body here; `receive` would wait for another one until the client
            # leaves.
            read: bytes | None = getattr(self._request, "_body", None)
            if parts is not None and read is not None:
                parts = None
                return {"type": "http.request", "body": read, "more_body": False}
            message = await receive()
            if parts is not None and message["type"] == "http.request":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self._request._body = b"".join(parts)
                    parts = None
            return message

        return receive_or_repeat


def _seen_inside(scope: Scope, request: Request) -> Scope:
    """The scope as a mounted application gets it: what lies before the route is `root_path`."""
    root, path, within = scope.get("root_path", ""), scope["path"], scope["path_params"]["path"]
    before = path.removesuffix(within).rstrip("/")
    inside = {**scope, "path": f"{before}/{within}", "root_path": before}
    inside |= {"path_params": {}, HOST_REQUEST: request}
    # Set for `FastAPI(root_path=…)` behind a proxy that strips the prefix.
    return shown_under(inside, root) if root else inside
