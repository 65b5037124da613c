"""The application mounted in another one, and under a prefix."""

import asyncio
import contextlib
import json
import signal
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest
from fastapi import APIRouter, FastAPI

from tests.server.ingress.application import application
from tests.server.ingress.plain_uvicorn import plain_uvicorn
from tests.support.called_processes import called_by
from tests.support.dialling import Dialled, request
from tests.support.messages import said, state
from tests.support.waiting import until
from vision_agent import Settings, create_app
from vision_agent.calls.refusal import Refusal
from vision_agent.server.ingress.lifetime import Lifetime


@pytest.mark.parametrize("how", ["mounted", "with_its_lifespan", "inside_a_lifespan"])
async def test_an_application_that_is_mounted_in_another_answers_calls_and_ends_with_it(how):
    factory = f"tests.server.ingress.embedded:{how}"
    async with plain_uvicorn(factory, VISION_AGENT_DRAIN_S="0") as server:
        url = f"{server.url}/agent"
        page = await asyncio.to_thread(urllib.request.urlopen, url)
        assert page.url == f"{url}/"
        assert b"page.js" in page.read()
        caller = Dialled(url)
        await caller.connect()
        try:
            info = await asyncio.to_thread(request, "GET", f"{url}/api/info")
            assert info["ready"]
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: bool(said(m)))
            below = await asyncio.to_thread(called_by, server.process.pid)
            assert below, "the local Live API is a process of its own"
            server.process.send_signal(signal.SIGTERM)
            ended = await caller.wait_for(lambda m: state(m) == "ended")
            assert ended["data"]["come_back"]
        finally:
            await caller.peer.close()
        await asyncio.wait_for(server.process.wait(), 30)
        _, alive = await asyncio.to_thread(psutil.wait_procs, below, 10)
        assert not alive


async def test_a_mounted_application_is_not_healthy_before_it_runs():
    async with plain_uvicorn("tests.server.ingress.embedded:mounted") as server:
        with pytest.raises(urllib.error.HTTPError) as unready:
            await asyncio.to_thread(request, "GET", f"{server.url}/agent/healthz")
        assert unready.value.code == 503
        assert "starting" in json.load(unready.value)["reason"]

        async def health() -> dict:
            with contextlib.suppress(urllib.error.HTTPError):
                return await asyncio.to_thread(request, "GET", f"{server.url}/agent/healthz")
            return {}

        assert (await until(health))["status"] == "ok"


async def test_under_a_prefix_that_a_proxy_passes_on_everything_is_found():
    async with application(root_path="/agent") as client, client() as http:
        for path in ("/agent/", "/agent/page.js", "/agent/healthz", "/agent/api/info"):
            assert (await http.get(path)).status_code == 200, path
        # The same where the proxy strips the prefix:
        assert (await http.get("/api/info")).status_code == 200
        redirect = await http.get("/agent")
        assert redirect.status_code == 307
        assert redirect.headers["location"] == "http://localhost/agent/"


async def test_a_redirect_keeps_the_scheme_that_the_proxy_was_asked_with():
    async with (
        application(root_path="/agent", trusted_proxies="127.0.0.1") as client,
        client() as http,
    ):
        said = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https"}
        redirect = await http.get("/agent", headers=said)
        assert redirect.headers["location"] == "https://localhost/agent/"
        # A header that a caller sends through the proxy does not change which path is served.
        forged = said | {"X-Forwarded-Prefix": "/agent/x"}
        assert (await http.get("/agent/x/metrics", headers=forged)).status_code == 404


async def test_a_refusal_in_an_application_that_does_not_know_it_is_a_status_and_a_sentence():
    router = APIRouter()

    @router.get("/")
    async def refuse() -> None:
        raise Refusal(429, "Too often.", {"Retry-After": "3"})

    parent = FastAPI()
    parent.include_router(router)
    transport = httpx.ASGITransport(app=parent)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        response = await http.get("/")
    assert (response.status_code, response.json()) == (429, {"detail": "Too often."})
    assert response.headers["retry-after"] == "3"


class Started:
    """The parts behind an application that `Lifetime` starts and ends."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.events: list[str] = []

    @asynccontextmanager
    async def running(self):
        if self.failures:
            raise self.failures.pop()
        self.events.append("started")
        try:
            yield
        finally:
            self.events.append("ended")


async def test_many_first_requests_start_it_once():
    started = Started()
    lifetime = Lifetime(started.running)
    await asyncio.gather(*(lifetime.ready() for _ in range(9)))
    assert started.events == ["started"]
    assert lifetime.problem is None
    async with lifetime.lifespan(None):
        assert started.events == ["started"]
    assert started.events == ["started", "ended"]


async def test_a_start_that_fails_is_said_and_tried_again_later(monkeypatch):
    started = Started(OSError("the disk is full"))
    lifetime = Lifetime(started.running)
    for _ in range(2):
        with pytest.raises(Refusal, match="the disk is full") as refused:
            await lifetime.ready()
        assert refused.value.status == 503
    monkeypatch.setattr("vision_agent.server.ingress.lifetime.TRY_AGAIN_S", 0)
    await lifetime.ready()
    assert started.events == ["started"]
    async with lifetime.lifespan(None):
        pass


def test_it_ends_with_its_event_loop():
    started = Started()
    asyncio.run(Lifetime(started.running).ready())
    assert started.events == ["started", "ended"]


async def test_after_the_end_nothing_starts_it_again():
    app = create_app(Settings(_env_file=None, session_db="memory"))
    async with app.router.lifespan_context(app):
        pass
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://test"
    ) as http:
        assert (await http.get("/api/info")).status_code == 503
        health = await http.get("/healthz")
        assert (health.status_code, health.json()["status"]) == (503, "unavailable")
