"""The access token: who may call."""

from __future__ import annotations

import secrets
import time

from fastapi import Request

from vision_agent.addresses import PEER
from vision_agent.calls.admission import Admission
from vision_agent.calls.refusal import Refusal


def address_of(request: Request) -> str:
    """The client's IP address; empty if it is unknown."""
    return request.client.host if request.client else ""


def peer_of(request: Request) -> str:
    """The address that made the connection, which may be a proxy's; empty if it is unknown."""
    peer: str = request.scope.get(PEER) or address_of(request)
    return peer


class Access:
    """A dependency that admits clients with the token, and every client if none is set.

    Args:
        token: The access token; None if none is set.
        admission: Counts wrong tokens.
    """

    def __init__(self, token: str | None, admission: Admission) -> None:
        self._token = token
        self._admission = admission

    async def __call__(self, request: Request) -> None:
        """Raise `Refusal`: 401 for a wrong or missing token, 429 after too many wrong ones."""
        if self._token is None:
            return
        address, now_s = address_of(request), time.monotonic()
        self._admission.token(address, now_s)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secrets.compare_digest(
            given.strip().encode(), self._token.encode()
        ):
            return
        if given:  # a missing token is no guess
            self._admission.wrong_token(address, now_s)
        raise Refusal(
            401,
            "A valid access token is needed: Authorization: Bearer …",
            {"WWW-Authenticate": "Bearer"},
        )
