"""The agent as a router that another application includes, under any prefix."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.support.offers import offer
from tests.support.scenarios import SILENT
from vision_agent import Settings, VideoAgent

PREFIXES = ("/agent", "/very/deep/agent", "/of/{tenant}/agent")

# All tests share one agent.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def login(name: Annotated[str, Header()] = "") -> None:
    """The host's own login."""
    if not name:
        raise HTTPException(401, "Who are you?")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def video() -> AsyncIterator[VideoAgent]:
    settings = Settings(
        _env_file=None,
        session_db="memory",
        scenario=SILENT,
        model="local",
        trusted_proxies="10.0.0.1",
    )
    video = VideoAgent(settings)
    async with video.lifespan():
        yield video


def host(video: VideoAgent, *, prefixes: Sequence[str] = PREFIXES) -> FastAPI:
    """An application with a page and errors of its own, and the agent below several prefixes."""
    app = FastAPI()
    app.add_api_route("/own", lambda: "the host's")

    @app.exception_handler(401)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse("the host's login", 401)

    @app.exception_handler(404)
    async def nothing(request: Request, error: HTTPException) -> PlainTextResponse:
        return PlainTextResponse("the host's 404", 404)

    app.include_router(video.router, prefix="/guarded", dependencies=[Depends(login)])
    for prefix in prefixes:
        app.include_router(video.router, prefix=prefix)
    return app


@asynccontextmanager
async def asking(
    app: FastAPI, client: tuple[str, int] = ("127.0.0.1", 4711), root_path: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=client, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http


async def session_at(http: httpx.AsyncClient, path: str, **headers: str) -> str:
    """Begin a call by WHIP; returns the path of its session."""
    peer, body = await offer()
    try:
        headers |= {"Content-Type": "application/sdp"}
        answer = await http.post(path, content=body["sdp"], headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]
    finally:
        await peer.close()


@pytest.mark.parametrize("prefix", [*PREFIXES, ""])
async def test_under_any_prefix_everything_is_found_and_leads_back_there(video, prefix):
    at = prefix.format(tenant="acme")
    async with asking(host(video, prefixes=[prefix])) as http:
        for path in ("/", "/page.js", "/healthz", "/metrics", "/api/info", "/view/style.css"):
            found = await http.get(at + path)
            assert found.status_code == 200, path
            assert "default-src 'none'" in found.headers["content-security-policy"]
        if at:
            redirect = await http.get(at)
            assert redirect.status_code == 307
            assert redirect.headers["location"] == f"http://localhost{at}/"
        session = await session_at(http, f"{at}/whip")
        assert session.startswith(f"{at}/whip/sessions/")
        assert (await http.delete(session)).status_code == 200


async def test_a_starlette_application_mounts_it(video):
    async with asking(Starlette(routes=[Mount("/agent", app=video.router)])) as http:
        assert "page.js" in (await http.get("/agent/")).text
        assert (await http.get("/agent/api/info")).json()["ready"]
        session = await session_at(http, "/agent/whip")
        assert session.startswith("/agent/whip/sessions/")
        assert (await http.delete(session)).status_code == 200


async def test_the_host_guards_every_address_and_keeps_its_own_answers(video):
    async with asking(host(video)) as http:
        for method, path in (
            *(("GET", each) for each in ("/", "/page.js", "/api/info", "/healthz", "/metrics")),
            *(("POST", each) for each in ("/api/offer", "/start", "/whip", "/sessions/1/offer")),
            *(("PATCH", "/api/offer"), ("DELETE", "/api/offer/1"), ("DELETE", "/whip/sessions/1")),
        ):
            refused = await http.request(method, f"/guarded{path}")
            assert (refused.status_code, refused.json()) == (401, "the host's login"), path
        inside = await http.get("/guarded/api/info", headers={"name": "ada"})
        assert inside.json()["ready"]
        assert (await http.get("/own")).headers.keys() == {"content-length", "content-type"}
        # Below the agent's prefix, the agent answers 404, not the host.
        nothing = await http.get("/agent/nothing")
        assert nothing.json() == {"error": "There is nothing at this address."}


async def test_a_body_that_the_hosts_dependency_has_read_arrives_nevertheless(video):
    async def audited(request: Request) -> None:
        assert await request.body()

    app = FastAPI()
    app.include_router(video.router, prefix="/agent", dependencies=[Depends(audited)])
    async with asking(app) as http, asyncio.timeout(20):
        session = await session_at(http, "/agent/whip")
        # A body that is too large is refused as without a host.
        refused = await http.post("/agent/whip", content=b"v=0\r\n" * 20_000)
        assert refused.status_code == 413
        assert session.startswith("/agent/whip/sessions/")


SAID = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Prefix": "/shop/"}


@pytest.mark.parametrize(
    ("root_path", "client", "said", "seen"),
    [
        # The host's root_path names the proxy's prefix.
        ("/shop", ("127.0.0.1", 4711), {}, "/shop/agent"),
        # A trusted proxy's header names it; so does that of a proxy that the ASGI server trusts.
        ("", ("10.0.0.1", 4711), SAID, "/shop/agent"),
        ("", ("203.0.113.7", 0), SAID, "/shop/agent"),
        # The header does not count from a stranger, nor if its value can't be a path.
        ("", ("198.51.100.9", 4711), SAID, "/agent"),
        ("", ("10.0.0.1", 4711), SAID | {"X-Forwarded-Prefix": "//evil.example"}, "/agent"),
        ("", ("10.0.0.1", 4711), SAID | {"X-Forwarded-Prefix": "/" + 300 * "a"}, "/agent"),
    ],
)
async def test_behind_a_proxy_that_takes_a_prefix_away_addresses_lead_back_through_it(
    video, root_path, client, said, seen
):
    async with asking(host(video), client, root_path) as http:
        session = await session_at(http, "/agent/whip", **said)
        assert session.startswith(f"{seen}/whip/sessions/")
        within = "/agent" + session.removeprefix(seen)
        assert (await http.delete(within, headers=said)).status_code == 200
        # Where the proxy passes the host's prefix on, the agent is found there as well.
        passed_on = await http.get(f"{seen}/api/info", headers=said)
        assert passed_on.status_code == (404 if seen.startswith("/shop") and not root_path else 200)
