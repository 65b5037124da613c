"""Who may call: whoever has the server's access token, or a token that was given for one user."""

from __future__ import annotations

import secrets
import time

from fastapi import Request

from vision_agent.addresses import PEER
from vision_agent.calls.admission import Admission
from vision_agent.calls.refusal import Refusal
from vision_agent.server.call_tokens import BadToken, CallTokens, Grant
from vision_agent.server.token_uses import TokenUses

GRANT = "vision_agent.grant"
"""Key in a request's scope: the `Grant` of its token; None for the server's access token."""


def address_of(request: Request) -> str:
    """The client's IP address; empty if it is unknown."""
    return request.client.host if request.client else ""


def peer_of(request: Request) -> str:
    """The address that made the connection, which may be a proxy's; empty if it is unknown."""
    peer: str | None = request.scope.get(PEER)
    return address_of(request) if peer is None else peer


def grant_of(request: Request) -> Grant | None:
    """The permissions of a request's token; None if the request has no token for one user."""
    grant: Grant | None = request.scope.get(GRANT)
    return grant


class Access:
    """A dependency that admits clients with a token, and every client if none is set.

    An expired token for one user is admitted as long as its calls may last. Routes that begin
    something also depend on `starting`, and `Reception.begin` has a check of its own.

    Args:
        secret: The server's access token; None if none is set.
        tokens: Reads tokens for one user; None if there are none.
        uses: Knows which of them have begun a conversation.
        admission: Counts wrong tokens.
    """

    def __init__(
        self,
        secret: str | None,
        tokens: CallTokens | None,
        uses: TokenUses,
        admission: Admission,
    ) -> None:
        self._secret = secret
        self._tokens = tokens
        self._uses = uses
        self._admission = admission

    async def __call__(self, request: Request) -> None:
        """Raise `Refusal`: 401 for a wrong or missing token, 429 after too many wrong ones."""
        if self._secret is None:
            return
        address, now_s = address_of(request), time.monotonic()
        self._admission.token(address, now_s)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        given = given.strip()
        why = ""
        if scheme.lower() == "bearer" and given:
            if secrets.compare_digest(given.encode(), self._secret.encode()):
                request.scope[GRANT] = None
                return
            if self._tokens is not None and given.count(".") == 2:
                try:
                    request.scope[GRANT] = self._tokens.read(given, time.time())
                    return
                except BadToken as error:
                    why = f" This one is not taken: {error}."
        if given:  # a missing token is not a guess
            self._admission.wrong_token(address, now_s)
        raise no_entry(f"A valid access token is needed: Authorization: Bearer ….{why}")

    async def starting(self, request: Request) -> None:
        """`Refusal` 401 for a token that has expired, unless it has begun a conversation."""
        await self(request)
        grant = grant_of(request)
        if grant and grant.expired(time.time()) and not await self._uses.begun(grant):
            raise no_entry("The token has expired. Ask whoever gave it for a new one.")

    async def operator(self, request: Request) -> None:
        """`Refusal` 403 for a token for one user: only the server's access token will do."""
        await self(request)
        if grant_of(request) is not None:
            raise Refusal(403, "A token for one user is not enough here.")


def no_entry(text: str) -> Refusal:
    """The refusal of a client without a valid token; the text says why, as a sentence."""
    return Refusal(401, text, {"WWW-Authenticate": "Bearer"})
