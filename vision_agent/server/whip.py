"""WHIP (RFC 9725): calls of encoders and other clients whose request is the offer itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from vision_agent.calls.admission import Admission
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.registry import CallRegistry
from vision_agent.rtc import BadOffer, Offer
from vision_agent.rtc.sdp_fragment import MEDIA_TYPE as SDP_FRAGMENT
from vision_agent.rtc.sdp_fragment import SdpFragment
from vision_agent.server.call_request import parse_query
from vision_agent.server.ingress.access import Access
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.reception import Reception, SignallingOptions, media_type
from vision_agent.server.whip_sessions import WhipSession, WhipSessions

SDP = "application/sdp"
SESSIONS = "/whip/sessions"
WHIP_HEADERS = (
    "Accept-Patch",
    "Accept-Post",
    "Access-Control-Allow-Methods",
    "ETag",
    "Link",
    "Location",
)
"""The headers of responses that pages of other origins read."""

_SPECIAL = re.compile(r'[\\"]')

_Parsed = TypeVar("_Parsed")


def whip_router(
    reception: Reception,
    registry: CallRegistry,
    options: SignallingOptions,
    access: Access,
    admission: Admission,
    lifetime: Lifetime,
) -> APIRouter:
    """The routes under `/whip`, all behind the access token if one is set.

    Args:
        reception: Admits offers, and begins calls.
        registry: The calls.
        options: What the routes need to know of the server.
        access: Checks the access token.
        admission: Bounds how often candidates come for one call.
        lifetime: Starts what requests wait for.
    """
    sessions = WhipSessions(lambda call_id: registry.find(call_id) is not None, options.worker)
    router = APIRouter(dependencies=[Depends(access), Depends(lifetime.ready)])

    async def offer(request: Request) -> Response:
        """Begins a call; the answer comes with the URL of its session."""
        reception.admit(request)
        _check_type(request, SDP, "Accept-Post")
        new = parse_query(dict(request.query_params) | dict(request.path_params))
        offered = _understood(Offer.parse, await _text(request))
        call, answer = await reception.begin(request, offered, new)
        session = sessions.begin(call, offered)
        response = Response(answer, 201, media_type=SDP)
        response.headers["Location"] = (
            f"{request.scope.get('root_path', '')}{SESSIONS}/{session.key}"
        )
        response.headers["ETag"] = session.entity_tag
        response.headers["Accept-Patch"] = SDP_FRAGMENT
        response.headers["Cache-Control"] = "no-store"
        for link in ice_server_links(options.ice_servers.for_call(time.time())):
            response.headers.append("Link", link)
        return response

    async def describe(request: Request) -> Response:
        """Describes what the endpoint accepts; a CORS preflight is answered before it gets here."""
        return Response(
            status_code=204,
            headers={
                "Allow": "OPTIONS, POST",
                "Accept-Post": SDP,
                # @eyevinn/whip-web-client reads here whether candidates may follow the offer.
                "Access-Control-Allow-Methods": "OPTIONS, POST, PATCH, DELETE",
            },
        )

    async def patch(request: Request, key: str) -> Response:
        """Takes candidates that the caller has found after its offer."""
        session = _find(sessions, key)
        admission.trickle(session.call.call_id, time.monotonic())
        _check_type(request, SDP_FRAGMENT, "Accept-Patch")
        if_match = request.headers.get("if-match")
        if if_match is None:
            raise Refusal(428, "The request must name the session's entity tag (If-Match).")
        if not session.matches(if_match):
            raise Refusal(412, "The entity tag (If-Match) is not that of the session.")
        fragment = _understood(SdpFragment.parse, await _text(request))
        if session.restarts_ice(fragment):
            raise Refusal(
                422,
                "ICE can't be restarted in a session: the ICE credentials are not those of its "
                "offer. End the session (DELETE) and begin another one.",
            )
        try:
            await session.call.add_candidates(list(fragment.candidates))
        except BadOffer as error:  # too many, or for no section of the offer
            raise Refusal(400, str(error)) from error
        return Response(status_code=204)

    async def goodbye(key: str) -> Response:
        """Ends the call."""
        await _find(sessions, key).call.hang_up()
        return Response(status_code=200)

    async def no_such_method(request: Request) -> Response:
        """Refuses the methods that RFC 9725 reserves."""
        raise Refusal(405, "This address does not take that method.", {"Allow": "OPTIONS, POST"})

    async def no_such_session_method(key: str) -> Response:
        """Refuses the methods that RFC 9725 reserves."""
        _find(sessions, key)
        raise Refusal(405, "This address does not take that method.", {"Allow": "PATCH, DELETE"})

    for path in ("/whip", "/whip/{agent}"):
        router.add_api_route(path, offer, methods=["POST"], status_code=201)
        router.add_api_route(path, describe, methods=["OPTIONS"], status_code=204)
        # Starlette would go on searching, and find the page's files under the same path.
        router.add_api_route(
            path,
            no_such_method,
            methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"],
            include_in_schema=False,
        )
    path = f"{SESSIONS}/{{key}}"
    router.add_api_route(path, patch, methods=["PATCH"], status_code=204)
    router.add_api_route(path, goodbye, methods=["DELETE"])
    router.add_api_route(
        path,
        no_such_session_method,
        methods=["GET", "HEAD", "OPTIONS", "POST", "PUT"],
        include_in_schema=False,
    )
    return router


def ice_server_links(servers: Iterable[Mapping[str, Any]]) -> list[str]:
    """`Link` headers that name STUN and TURN servers (RFC 9725 4.6), one for each URL.

    Args:
        servers: As browsers take them (`RTCIceServer`).
    """
    links = []
    for server in servers:
        named = "".join(
            f'; {name}="{_quoted(server[name])}"'
            for name in ("username", "credential")
            if name in server
        )
        if "credential" in server:
            named += '; credential-type="password"'
        urls = server["urls"]
        for url in [urls] if isinstance(urls, str) else urls:
            links.append(f'<{url}>; rel="ice-server"{named}')
    return links


def _quoted(text: str) -> str:
    """The inside of a quoted string (RFC 9110 5.6.4)."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _check_type(request: Request, wanted: str, header: str) -> None:
    """Raise `Refusal` 415 for another type; other sites' pages can't send this one unasked."""
    if media_type(request) != wanted:
        raise Refusal(415, f"The body must be {wanted}.", {header: wanted})


async def _text(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise Refusal(400, "The body is not UTF-8 text.") from error


def _understood(parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except BadOffer as error:
        raise Refusal(400, str(error)) from error


def _find(sessions: WhipSessions, key: str) -> WhipSession:
    session = sessions.find(key)
    if session is None:
        raise Refusal(404, "There is no such session: it has ended, or never was.")
    return session
