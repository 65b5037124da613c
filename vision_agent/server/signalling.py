"""Signalling over HTTP as RTVI's SmallWebRTC clients speak it: offers, candidates, goodbyes."""

from __future__ import annotations

import math
import time
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from vision_agent.addresses import counted_as
from vision_agent.agents.directory import AgentDirectory
from vision_agent.calls.admission import Admission
from vision_agent.calls.call import Call
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.registry import CallRegistry
from vision_agent.rtc import BadOffer
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
from vision_agent.server.ingress.access import Access, address_of, grant_of
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.sessions import Sessions, TooManySessions, TooMuchData
from vision_agent.server.reception import Reception, SignallingOptions, media_type


def signalling_router(
    reception: Reception,
    registry: CallRegistry,
    agents: AgentDirectory,
    options: SignallingOptions,
    access: Access,
    admission: Admission,
    lifetime: Lifetime,
) -> APIRouter:
    """The routes under `/api`, `/start` and `/sessions`, all behind the access token if one is set.

    Args:
        reception: Admits offers, and begins calls.
        registry: The calls.
        agents: The agents that can be called.
        options: What the routes need to know of the server.
        access: Checks the access token.
        admission: Bounds how often one address, one call and one conversation may ask.
        lifetime: Starts what requests wait for.
    """
    sessions = Sessions(options.worker)

    router = APIRouter(dependencies=[Depends(access), Depends(lifetime.ready)])

    starting = [Depends(access.starting)]

    @router.get("/api/info", dependencies=starting)
    async def info(request: Request) -> dict[str, Any]:
        """Who answers, for the page."""
        return {
            **agents.info(),
            "ice_servers": options.ice_servers.for_call(time.time()),
            "screen_sharing": options.share_screen,
            "recording": options.recording.info(),
            "takes_user": reception.believes_clients,
            "gives_tokens": options.gives_tokens and grant_of(request) is None,
            "ready": agents.problem is None,
        }

    @router.post("/start", dependencies=starting)
    async def start(request: Request) -> dict[str, Any]:
        """A session id and the ICE servers, for clients that begin with them."""
        admission.session(address_of(request), time.monotonic())
        body = await request.body()  # of any type, so that one above the bound is refused in words
        asked = parse_start(body if _is_json(request) else b"")
        if asked:  # what can't be is refused now, and not when the offer comes
            host = reception.agent(agent_name(asked))
            reception.call_options(host, call_options(asked))
        address = counted_as(address_of(request))
        try:
            session_id = sessions.new(address, time.monotonic(), asked)
        except TooMuchData as error:
            raise Refusal(400, str(error)) from error
        except TooManySessions as error:
            wait = {"Retry-After": str(math.ceil(error.wait_s))}
            raise Refusal(429, f"{error} Try again later.", wait) from error
        answer: dict[str, Any] = {"sessionId": session_id}
        if ice_servers := options.ice_servers.for_call(time.time()):
            answer["iceConfig"] = {"iceServers": ice_servers}
        return answer

    async def offer(request: Request) -> JSONResponse:
        reception.admit(request)
        session_id = request.path_params.get("session_id", "")
        asked = CallRequest.parse(
            await _json_body(request), began_with=sessions.began_with(session_id)
        )
        match asked.call:
            case OngoingCall(pc_id, restart):
                call, sdp = await reconnect(request, asked, pc_id, restart)
            case NewCall() as new:
                call, sdp = await reception.begin(request, asked.offer, new, asked.resume)
        sessions.offered(session_id)
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

    async def reconnect(
        request: Request, asked: CallRequest, pc_id: str, restart: bool | None
    ) -> tuple[Call, str]:
        with reception.refusals(over=404):
            now_s = time.monotonic()
            admission.begin(address_of(request), now_s)
            call = _find(registry, pc_id)
            if not (await reception.caller(request)).may_continue(call.lease.user_id):
                raise _no_such_call()
            admission.restart(call.call_id, now_s)
            # Not said: a new peer connection has ICE credentials of its own.
            if restart or (restart is None and not call.continues(asked.offer)):
                return call, await call.restart(asked.offer, reception.network(request))
            return call, await call.renegotiate(asked.offer)

    async def own(request: Request, pc_id: str) -> Call:
        call = _find(registry, pc_id)
        if not await reception.owns(request, call):
            raise _no_such_call()
        return call

    async def candidates(request: Request) -> dict[str, str]:
        body = read_form(await _json_body(request), TrickledCandidates)
        call = await own(request, body.pc_id)
        admission.trickle(call.call_id, time.monotonic())
        try:
            await call.add_candidates([c.model_dump() for c in body.candidates])
        except BadOffer as error:
            raise Refusal(400, str(error)) from error
        return {"status": "success"}

    async def goodbye(request: Request, pc_id: str) -> Response:
        await (await own(request, pc_id)).hang_up()
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
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "The body must not be compressed (Content-Encoding).")
    return await request.body()


def _is_json(request: Request) -> bool:
    return media_type(request) == "application/json"


def _find(registry: CallRegistry, pc_id: str) -> Call:
    call = registry.find(pc_id)
    if call is None:
        raise _no_such_call()
    return call


def _no_such_call() -> Refusal:
    return Refusal(404, "There is no such call: it has ended, or never was.")
