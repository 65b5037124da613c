"""Signalling over HTTP as RTVI's SmallWebRTC clients speak it: offers, candidates, goodbyes."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from vision_agent.addresses import Proxies, counted_as
from vision_agent.agents.directory import AgentDirectory, UnknownAgent
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.admission import Admission
from vision_agent.calls.call import Call
from vision_agent.calls.connections import CallOver, Superseded
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.registry import CallRegistry, Draining, FullHouse
from vision_agent.ice_servers import IceServers
from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import ModelError
from vision_agent.live.sessions.store import session_id_of
from vision_agent.rtc import BadOffer, CannotRenegotiate, Network
from vision_agent.rtc.network import is_loopback, receiving_host
from vision_agent.server.call_request import (
    CallRequest,
    NewCall,
    OngoingCall,
    TrickledCandidates,
    agent_name,
    call_options,
    parse_start,
    read_form,
)
from vision_agent.server.ingress.access import Access, address_of, peer_of
from vision_agent.server.ingress.descriptors import is_shortage
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.sessions import Sessions, TooMuchData

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class SignallingOptions:
    """What the routes need to know of the server.

    Attributes:
        ice_servers: STUN and TURN servers for callers.
        resume_within_s: How long a conversation can be continued after its call; 0 for never.
        has_token: Whether an access token is set, so that whoever passes has shown it.
        user_header: The request header in which a login proxy names the caller.
        login_proxies: The proxies that may do so.
        listens_on: The address that HTTP is served on.
        media_host: The address that media is received on; empty to decide by `listens_on`.
    """

    ice_servers: IceServers
    resume_within_s: float
    has_token: bool
    user_header: str | None
    login_proxies: Proxies
    listens_on: str
    media_host: str


def signalling_router(
    registry: CallRegistry,
    agents: AgentDirectory,
    options: SignallingOptions,
    access: Access,
    admission: Admission,
    lifetime: Lifetime,
) -> APIRouter:
    """The routes under `/api`, `/start` and `/sessions`, all behind the access token if one is set.

    Args:
        registry: The calls.
        agents: The agents that can be called.
        options: What the routes need to know of the server.
        access: Checks the access token.
        admission: Bounds how often one address, one call and one conversation may ask.
        lifetime: Starts what requests wait for.
    """
    sessions = Sessions()

    router = APIRouter(dependencies=[Depends(access), Depends(lifetime.ready)])

    @router.get("/api/info")
    async def info() -> dict[str, Any]:
        """Who answers, for the page."""
        return {
            **agents.info(),
            "ice_servers": options.ice_servers.for_call(time.time()),
            "ready": agents.problem is None,
        }

    @router.post("/start")
    async def start(request: Request) -> dict[str, Any]:
        """A session id and the ICE servers, for clients that begin with them."""
        body = await request.body()  # of any type, so that one above the bound is refused in words
        asked = parse_start(body if _is_json(request) else b"")
        if asked:  # what can't be is refused now, and not when the offer comes
            host = _agent(agents, agent_name(asked))
            _call_options(host, call_options(asked))
        address = counted_as(address_of(request))
        try:
            session_id = sessions.new(address, time.monotonic(), asked)
        except TooMuchData as error:
            raise Refusal(400, str(error)) from error
        answer: dict[str, Any] = {"sessionId": session_id}
        if ice_servers := options.ice_servers.for_call(time.time()):
            answer["iceConfig"] = {"iceServers": ice_servers}
        return answer

    async def offer(request: Request) -> JSONResponse:
        address, now_s = address_of(request), time.monotonic()
        admission.offer(address, now_s)
        asked = CallRequest.parse(
            await _json_body(request),
            has_token=options.has_token,
            named_by_proxy=_named_by_proxy(request, options),
            began_with=sessions.began_with(request.path_params.get("session_id", "")),
        )
        network = _network(request, options)
        try:
            admission.begin(address, now_s)
            match asked.call:
                case OngoingCall(pc_id, restart):
                    call = _find(registry, pc_id)
                    admission.restart(call.call_id, now_s)
                    # Not said: a new peer connection has ICE credentials of its own.
                    if restart or (restart is None and not call.continues(asked.offer)):
                        sdp = await call.restart(asked.offer, network)
                    else:
                        sdp = await call.renegotiate(asked.offer)
                case NewCall() as new:
                    host = _agent(agents, new.agent)
                    answered = _call_options(host, new.options)
                    if asked.resume is not None:
                        admission.restart(session_id_of(asked.resume), now_s)
                    call, sdp = await registry.start(
                        asked.offer,
                        host=host,
                        options=answered,
                        network=network,
                        resume=asked.resume,
                        user=new.caller.key,
                        address=address,
                    )
                    problem = (new.caller.problem,) if new.caller.problem else ()
                    own_choice = host.notes(answered) if "voice" in new.options else ()
                    for text in (*problem, *own_choice):
                        call.tell(text)
        except CallOver as error:
            status = 404 if isinstance(asked.call, OngoingCall) else 503
            raise Refusal(status, str(error)) from error
        except (CannotRenegotiate, Superseded) as error:
            raise Refusal(409, str(error)) from error
        except Draining as error:
            # By then another server answers, if there is one.
            wait_s = max(1, math.ceil(error.left_s)) + RETRY_AFTER_S
            raise Refusal(503, str(error), {"Retry-After": str(wait_s)}) from error
        except FullHouse as error:
            raise Refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)}) from error
        except Refusal:
            raise
        except Exception as error:  # a bug of ours: the offer is usable
            if is_shortage(error):
                raise
            logger.exception("an offer could not be answered")
            raise Refusal(500, "The server failed to answer the offer. Try again.") from error
        answer: dict[str, Any] = {"sdp": sdp, "type": "answer", "pc_id": call.call_id}
        begun = isinstance(asked.call, NewCall)
        if options.resume_within_s and (begun or asked.resume == call.lease.token):
            # The caller's secret: in the requestData of a new offer it continues the conversation.
            # A call's id alone does not get it.
            answer |= {
                "resume": call.lease.token,
                "resume_within_s": options.resume_within_s,
                "resumed": call.lease.resumed,
            }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def candidates(request: Request) -> dict[str, str]:
        body = read_form(await _json_body(request), TrickledCandidates)
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


async def _json_body(request: Request) -> bytes:
    if not _is_json(request):
        # Keeps other sites' pages out too: a form can't send this type without a CORS preflight.
        raise Refusal(400, "The body must be application/json.")
    return await request.body()


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json"


def _find(registry: CallRegistry, pc_id: str) -> Call:
    call = registry.find(pc_id)
    if call is None:
        raise Refusal(404, "There is no such call: it has ended, or never was.")
    return call


def _network(request: Request, options: SignallingOptions) -> Network:
    """Where the caller's media arrives: on loopback only, if its requests do."""
    server, client = request.scope.get("server"), request.scope.get("client")
    reached_at = server[0] if server and _is_address(server[0]) else None
    return Network(
        receiving_host(options.media_host, options.listens_on, reached_at),
        caller_is_local=client is not None and is_loopback(client[0]),
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _named_by_proxy(request: Request, options: SignallingOptions) -> str | None:
    """Whom a trusted login proxy names as the caller; None if none does."""
    if options.user_header and options.login_proxies.trusted(peer_of(request)):
        return request.headers.get(options.user_header)
    return None


def _agent(agents: AgentDirectory, name: str | None) -> HostedAgent:
    try:
        return agents.find(name)
    except UnknownAgent as error:
        raise Refusal(404, str(error)) from error


def _call_options(host: HostedAgent, asked: Mapping[str, object]) -> CallOptions:
    try:
        return host.options(asked)
    except ModelError as error:
        raise Refusal(400, str(error)) from error
