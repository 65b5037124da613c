"""Health and metrics are on a port of their own, and neither names a caller."""

import asyncio
import contextlib

import httpx
import pytest
from fastapi import FastAPI

from tests.server.ingress.application import offered
from tests.support.scenarios import SILENT
from vision_agent import Settings
from vision_agent.server.listening import CannotListen, listen
from vision_agent.server.operator_port import MAX_CONNECTIONS
from vision_agent.server.video_agent import VideoAgent


def video_agent(**settings) -> tuple[VideoAgent, FastAPI]:
    settings |= {"session_db": "memory", "scenario": SILENT}
    video = VideoAgent(
        Settings(_env_file=None, **settings), identify=lambda request: "ann@example.com"
    )
    app = FastAPI()
    app.include_router(video.router, prefix="/agent")
    return video, app


async def test_they_are_on_the_operators_port_alone_and_say_nothing_about_who_calls():
    video, app = video_agent(operator_port=0)
    port = video.operator_port.bind()
    async with (
        video.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as operator,
        offered() as body,
    ):
        answer = (await http.post("/agent/api/offer", json=body)).json()
        secret, _, user = answer["resume"].partition(".")
        assert user == "ann@example.com"
        shown = ""
        for path in ("/healthz", "/metrics"):
            assert (await http.get(f"/agent{path}")).status_code == 404
            response = await operator.get(path)
            assert response.status_code == 200
            shown += response.text
        assert '"calls":1' in shown
        assert "vision_agent_calls 1.0" in shown
        for told in (user, secret, answer["pc_id"]):
            assert told not in shown
        for path in ("/", "/api/info", "/api/offer"):
            assert (await operator.get(path)).status_code == 404
        foreign = await operator.get("/metrics", headers={"Host": "evil.example"})
        assert foreign.status_code == 421
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as late:
            await late.get(f"http://127.0.0.1:{port}/healthz")


async def test_its_connections_are_bounded_as_those_of_callers_are():
    video, _ = video_agent(operator_port=0)
    port = video.operator_port.bind()
    async with video.lifespan():
        idle = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS + 2)
        ]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as operator:
            assert (await operator.get("/healthz")).status_code == 200
        # Three connections came when all were taken: the three that were idle longest were closed.
        async with asyncio.timeout(10):
            for reader, _ in idle[:3]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        reader, writer = idle[3]
        writer.write(b"no-such-method / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(10):
            assert b"no HTTP request that can be understood" in await reader.read()
        for _, writer in idle:
            writer.close()


async def test_a_port_that_is_taken_is_said_in_words():
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        video, _ = video_agent(operator_port=taken.getsockname()[1])
        with pytest.raises(CannotListen, match=r"in use\. .* with VISION_AGENT_OPERATOR_PORT"):
            async with video.lifespan():
                pass
