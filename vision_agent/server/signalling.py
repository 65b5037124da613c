"""Signalling over HTTP: offers, candidates, goodbyes, as RTVI's SmallWebRTC clients speak it."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision_agent.addresses import counted_as
from vision_agent.agents.caller_key import (
    UNKNOWN,
    BadName,
    GuessableName,
    claimed_caller,
    vouched_caller,
)
from vision_agent.agents.directory import AgentDirectory, UnknownAgent
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.admission import Admission
from vision_agent.calls.call import Call, CallOver, Superseded
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.registry import CallRegistry, Draining, FullHouse
from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import ModelError
from vision_agent.live.sessions.store import MAX_TOKEN_CHARS, session_id_of
from vision_agent.rtc import BadOffer, CannotRenegotiate, Network, Offer
from vision_agent.rtc.network import is_loopback, receiving_host
from vision_agent.server.ingress.access import Access, address_of, peer_of
from vision_agent.server.ingress.descriptors import none_left
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.sessions import Sessions
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5

_Form = TypeVar("_Form", bound=BaseModel)


class OfferBody(BaseModel):
    """`POST /api/offer`: the caller's session description (RFC 8829)."""

    model_config = ConfigDict(extra="ignore")

    sdp: str = Field(min_length=1)
    type: str
    pc_id: str | None = None
    restart_pc: bool | None = None
    requestData: dict[str, Any] | None = None
    request_data: dict[str, Any] | None = None


class Candidate(BaseModel):
    """One trickled ICE candidate (RFC 8838); an empty one is the last."""

    model_config = ConfigDict(extra="ignore")

    candidate: str
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


class Candidates(BaseModel):
    """`PATCH /api/offer`: candidates of a call that has been answered."""

    model_config = ConfigDict(extra="ignore")

    pc_id: str
    candidates: list[Candidate] = Field(max_length=100)


def signalling_router(
    registry: CallRegistry,
    agents: AgentDirectory,
    settings: Settings,
    access: Access,
    admission: Admission,
    lifetime: Lifetime,
) -> APIRouter:
    """The routes under `/api`, `/start` and `/sessions`, all behind the access token if one is set.

    Args:
        registry: The calls.
        agents: Those who can be called.
        settings: The ICE servers, and for how long conversations can be resumed.
        access: Asks for the token.
        admission: Bounds how often one address, one call and one conversation may ask.
        lifetime: Requests wait for it to run.
    """
    sessions = Sessions()
    ice_servers = [server.described() for server in settings.ice_servers]

    router = APIRouter(dependencies=[Depends(access), Depends(lifetime.ready)])

    @router.get("/api/info")
    async def info() -> dict[str, Any]:
        """Who answers, for the page."""
        return {**agents.info(), "ice_servers": ice_servers, "ready": agents.problem is None}

    @router.post("/start")
    async def start(request: Request) -> dict[str, Any]:
        """A session id and the ICE servers, for clients that begin with them."""
        answer: dict[str, Any] = {
            "sessionId": sessions.new(counted_as(address_of(request)), time.monotonic())
        }
        if ice_servers:
            answer["iceConfig"] = {"iceServers": ice_servers}
        return answer

    async def offer(request: Request) -> JSONResponse:
        address, now_s = address_of(request), time.monotonic()
        admission.offer(address, now_s)
        body = await _read(request, OfferBody)
        if body.type != "offer":
            raise Refusal(400, f"The type must be 'offer', not {body.type[:20]!r}.")
        host = _agent(agents, body)
        user, note = _caller(request, body, settings)
        options, resume = _options(host, body), _resume(body)
        try:
            offered = Offer.parse(body.sdp)
        except BadOffer as error:
            raise Refusal(400, str(error)) from error
        try:
            admission.begin(address, now_s)
            if body.pc_id:
                call = _find(registry, body.pc_id)
                admission.restart(call.call_id, now_s)
                restart = body.restart_pc
                if restart is None:  # not said: a new connection has credentials of its own
                    restart = not call.continues(offered)
                if restart:
                    sdp = await call.restart(offered, _network(request, settings))
                else:
                    sdp = await call.renegotiate(offered)
            else:
                if resume is not None:
                    admission.restart(session_id_of(resume), now_s)
                call, sdp = await registry.start(
                    offered,
                    host=host,
                    options=options,
                    network=_network(request, settings),
                    resume=resume,
                    user=user,
                    address=address,
                )
                if note:
                    call.tell(note)
        except CallOver as error:
            raise Refusal(404 if body.pc_id else 503, str(error)) from error
        except (CannotRenegotiate, Superseded) as error:
            raise Refusal(409, str(error)) from error
        except Draining as error:
            # By then it is another server that answers, if there is one.
            wait_s = max(1, math.ceil(error.left_s)) + RETRY_AFTER_S
            raise Refusal(503, str(error), {"Retry-After": str(wait_s)}) from error
        except FullHouse as error:
            raise Refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)}) from error
        except Refusal:
            raise
        except Exception as error:  # ours, for the offer was usable
            if none_left(error):
                raise
            logger.exception("an offer could not be answered")
            raise Refusal(500, "The server failed to answer the offer. Try again.") from error
        answer: dict[str, Any] = {"sdp": sdp, "type": "answer", "pc_id": call.call_id}
        if settings.resume_within_s and (not body.pc_id or resume == call.lease.token):
            # The caller's secret: in the requestData of a new offer it continues the conversation.
            # A call's id alone does not buy it.
            answer |= {
                "resume": call.lease.token,
                "resume_within_s": settings.resume_within_s,
                "resumed": call.lease.resumed,
            }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def candidates(request: Request) -> dict[str, str]:
        body = await _read(request, Candidates)
        call = _find(registry, body.pc_id)
        admission.trickle(call.call_id, time.monotonic())
        try:
            await call.add_candidates([c.model_dump() for c in body.candidates])
        except BadOffer as error:
            raise Refusal(400, str(error)) from error
        return {"status": "success"}

    async def goodbye(pc_id: str) -> Response:
        await _find(registry, pc_id).hang_up()
        return Response(status_code=204)

    async def in_session(session_id: str) -> None:
        if not sessions.known(session_id, time.monotonic()):
            raise Refusal(404, "There is no such session: POST /start gives one.")

    for prefix, checks in (("", []), ("/sessions/{session_id}", [Depends(in_session)])):
        path = f"{prefix}/api/offer"
        router.add_api_route(path, offer, methods=["POST"], dependencies=checks)
        router.add_api_route(path, candidates, methods=["PATCH"], dependencies=checks)
        router.add_api_route(
            path + "/{pc_id}", goodbye, methods=["DELETE"], dependencies=checks, status_code=204
        )
    return router


async def _read(request: Request, form: type[_Form]) -> _Form:
    """The request's JSON body as a checked form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Also keeps other sites' pages out: a form can't send this without asking first (CORS).
        raise Refusal(400, "The body must be application/json.")
    try:
        return form.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Refusal(400, f"{where}: {first['msg']}.") from error


def _find(registry: CallRegistry, pc_id: str) -> Call:
    call = registry.find(pc_id)
    if call is None:
        raise Refusal(404, "There is no such call: it has ended, or never was.")
    return call


def _network(request: Request, settings: Settings) -> Network:
    """Where the caller's media arrives: on loopback only, if its requests do."""
    server, client = request.scope.get("server"), request.scope.get("client")
    reached_at = server[0] if server and _is_address(server[0]) else None
    # ICE servers are for callers from elsewhere, who reach the server through a proxy.
    media_host = settings.media_host or ("0.0.0.0" if settings.ice_servers else "")
    return Network(
        receiving_host(media_host, settings.host, reached_at),
        caller_is_local=client is not None and is_loopback(client[0]),
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _agent(agents: AgentDirectory, offer: OfferBody) -> HostedAgent:
    data = offer.requestData or offer.request_data or {}
    name = data.get("agent")
    try:
        return agents.find(None if name is None else str(name))
    except UnknownAgent as error:
        raise Refusal(404, str(error)) from error


def _resume(offer: OfferBody) -> str | None:
    data = offer.requestData or offer.request_data or {}
    token = data.get("resume")
    if token is None or (isinstance(token, str) and 0 < len(token) <= MAX_TOKEN_CHARS):
        return token
    raise Refusal(400, "requestData.resume must be the token that an earlier answer gave.")


def _caller(request: Request, offer: OfferBody, settings: Settings) -> tuple[str, str | None]:
    """The key of who calls (see `caller.py`), and what their client has to be told about it."""
    data = offer.requestData or offer.request_data or {}
    try:
        if settings.user_header and settings.trusts_proxy(peer_of(request)):
            named = request.headers.get(settings.user_header)
            if named:
                return vouched_caller(named), None
        return claimed_caller(data.get("user"), vouched=settings.token is not None), None
    except GuessableName as error:
        return UNKNOWN, str(error)
    except BadName as error:
        raise Refusal(400, str(error)) from error


def _options(host: HostedAgent, offer: OfferBody) -> CallOptions:
    try:
        return host.options(offer.requestData or offer.request_data or {})
    except ModelError as error:
        raise Refusal(400, str(error)) from error
