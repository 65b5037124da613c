"""Finds out who calls: by a token, the host application, a login proxy, or the client's word."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.exceptions import HTTPException

from vision_agent.addresses import Proxies
from vision_agent.calls.refusal import Refusal
from vision_agent.live.foreign_code import contained
from vision_agent.live.sessions.caller_identity import BadName, CallerIdentity
from vision_agent.server.ingress.access import grant_of, peer_of
from vision_agent.server.mounted import host_request

logger = logging.getLogger(__name__)

UserId = str | int | UUID
Identify = Callable[[Request], UserId | Awaitable[UserId | None] | None]
"""An application's own function that finds out who calls: the user's id, or None for an unknown
caller. A coroutine function runs on the event loop; any other function runs in a thread, so that a
blocking one delays no call. It may raise FastAPI's `HTTPException` to refuse the request."""

IDENTIFY_WITHIN_S = 10.0
"""How long a request waits for the application's function; the page gives one up after 15 s."""


class Identification:
    """Decides who a request comes from.

    Args:
        identify: The application's own function; None if it has none.
        user_header: The request header in which a login proxy names the caller; None for none.
        login_proxies: The proxies that may do so.
        has_token: Whether the server has an access token.

    Attributes:
        secured: Whether the server finds out who calls, so that no client's word counts.
    """

    def __init__(
        self,
        identify: Identify | None,
        *,
        user_header: str | None,
        login_proxies: Proxies,
        has_token: bool,
    ) -> None:
        self._identify = identify
        self._is_coroutine = inspect.iscoroutinefunction(identify) or inspect.iscoroutinefunction(
            type(identify).__call__
        )
        self._user_header = user_header
        self._login_proxies = login_proxies
        self.secured = identify is not None or user_header is not None or has_token
        self._warned = self._warned_of_server = False
        if not self.secured:
            logger.info(
                "Nothing is secured: a caller is the user whose random id their client sends "
                "(requestData.user)."
            )

    async def caller(self, request: Request, claimed: object = None) -> CallerIdentity:
        """Who a request comes from.

        Args:
            request: The request.
            claimed: What the client says (`requestData.user`); counts only if nothing is secured.

        Raises:
            Refusal: 400 for a name that can't be; 500 if the application's function failed.
            HTTPException: The application's function refuses the request.
        """
        grant = grant_of(request)
        if grant is not None and grant.user_id:
            return CallerIdentity(grant.user_id, proven=True)
        try:
            if not self.secured:
                return CallerIdentity.claimed(claimed)
            known = await self._asked(request) or self._named_by_proxy(request)
        except BadName as error:
            raise Refusal(400, str(error)) from error
        if known is None and claimed and not self._warned:
            self._warned = True
            logger.warning(
                "A client sends requestData.user, which does not count here: the server finds out "
                "itself who calls."
            )
        return known or CallerIdentity.unknown(claimed)

    async def _asked(self, request: Request) -> CallerIdentity | None:
        if self._identify is None:
            return None
        limit = asyncio.timeout(IDENTIFY_WITHIN_S)
        try:
            async with limit:
                user = await self._answer(self._identify, host_request(request))
        except HTTPException:
            raise
        except Exception as error:  # raised by the host application
            if limit.expired():
                logger.error("identify took more than %g s", IDENTIFY_WITHIN_S)
                text = "The server could not find out in time who calls. Try again."
                raise Refusal(503, text, {"Retry-After": "5"}) from error
            logger.exception("identify failed")
            raise Refusal(500, "The server failed to find out who calls. Try again.") from error
        if isinstance(user, int | UUID) and not isinstance(user, bool):
            user = str(user)
        try:
            known = CallerIdentity.proven_as(user, "What identify returns")
        except BadName as error:
            logger.error("%s", error)
            raise Refusal(500, "The server failed to find out who calls.") from error
        return known if known.user_id else None

    async def _answer(self, identify: Identify, request: Request) -> UserId | None:
        with contained():
            if self._is_coroutine:
                user = identify(request)
            else:
                user = await to_thread.run_sync(identify, request, abandon_on_cancel=True)
            return await user if inspect.isawaitable(user) else user

    def _named_by_proxy(self, request: Request) -> CallerIdentity | None:
        header = self._user_header
        peer = peer_of(request)
        if not header or not self._login_proxies.trusted(peer):
            if header and not peer and header in request.headers and not self._warned_of_server:
                self._warned_of_server = True
                logger.warning(
                    "%s does not count: the proxy's address is unknown. It uses a Unix socket, or "
                    "the ASGI server has put the caller's address in its place (start uvicorn "
                    "with --no-proxy-headers).",
                    header,
                )
            return None
        known = CallerIdentity.proven_as(request.headers.get(header), "The proxy's user header")
        return known if known.user_id else None
