"""`POST /api/tokens`: the holder of the access token gets tokens for single users."""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from vision_agent.calls.refusal import Refusal
from vision_agent.live.sessions.caller_identity import BadName, CallerIdentity
from vision_agent.server.call_request import read_form
from vision_agent.server.call_tokens import (
    MAX_LIFETIME_S,
    MAX_OPTIONS_BYTES,
    MAX_USES,
    CallTokens,
    Grant,
)
from vision_agent.server.ingress.access import Access
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.reception import Reception, media_type

DEFAULT_LIFETIME_S = 600


class _TokenForm(BaseModel):
    """The requested permissions of a token."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    user: str | None = None
    agent: str | None = Field(default=None, max_length=200)
    options: dict[str, Any] = Field(default_factory=dict)
    uses: int = Field(default=1, ge=1, le=MAX_USES, strict=True)
    expires_s: int = Field(default=DEFAULT_LIFETIME_S, ge=1, le=MAX_LIFETIME_S, strict=True)


def token_router(
    tokens: CallTokens | None, reception: Reception, access: Access, lifetime: Lifetime
) -> APIRouter:
    """The route `/api/tokens`.

    Args:
        tokens: Gives tokens; None if the server has no access token.
        reception: Knows the agents.
        access: Checks the access token.
        lifetime: Starts what requests wait for.
    """
    router = APIRouter(dependencies=[Depends(access.operator), Depends(lifetime.ready)])

    @router.post("/api/tokens")
    async def give(request: Request) -> JSONResponse:
        """A short-lived token for one user."""
        if tokens is None:
            text = "There are no tokens without an access token: set VISION_AGENT_TOKEN."
            raise Refusal(404, text)
        if media_type(request) != "application/json":
            raise Refusal(400, "The body must be application/json.")
        form = read_form(await request.body(), _TokenForm)
        try:
            user_id = CallerIdentity.proven_as(form.user, "user").user_id
        except BadName as error:
            raise Refusal(400, str(error)) from error
        if len(json.dumps(form.options)) > MAX_OPTIONS_BYTES:
            raise Refusal(400, f"options are larger than {MAX_OPTIONS_BYTES} bytes.")
        reception.check_options(form.agent, form.options)
        now_s = time.time()
        expires_at_s = int(now_s) + form.expires_s
        grant = Grant(expires_at_s, form.uses, user_id, form.agent, form.options)
        answer = {"token": tokens.give(grant, now_s), "expires_at": expires_at_s, "uses": form.uses}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return router
