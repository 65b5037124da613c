"""SIGTERM: new calls are refused, those in progress get time, and the server ends cleanly."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from tests.support.dialling import Dialled
from tests.support.forked_product import ForkedServer
from tests.support.messages import notice, refusal, said, state
from tests.support.scenarios import TONES


@asynccontextmanager
async def server_and_caller(drain_s: float, monkeypatch):
    """A server with a call on it; both may end meanwhile."""
    monkeypatch.setenv("VISION_AGENT_DRAIN_S", str(drain_s))
    async with ForkedServer("--scenario", str(TONES)) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            yield server, caller
        finally:
            await caller.peer.close()


async def exit_code(server: ForkedServer, within_s: float = 30) -> int:
    return await asyncio.wait_for(server._process.wait(), within_s)


async def test_a_call_goes_on_while_new_ones_are_refused_and_the_server_ends_with_it(monkeypatch):
    async with server_and_caller(300, monkeypatch) as (server, caller):
        server._process.send_signal(signal.SIGTERM)
        told = await caller.wait_for(lambda m: notice(m, "drain"))
        assert told["data"]["left_s"] == 300
        assert "restart" in told["data"]["text"]
        unready = await refusal(f"{server.url}/healthz")
        assert unready.code == 503
        assert json.load(unready)["status"] == "draining"
        with pytest.raises(urllib.error.HTTPError) as refused:
            await Dialled(server.url).offer()
        assert refused.value.code == 503
        assert 200 < int(refused.value.headers["Retry-After"]) <= 305
        assert "restart" in json.load(refused.value)["error"]
        caller.send("send-text", {"content": "hello"})
        await caller.wait_for(lambda m: bool(said(m)))
        # A caller whose network changes now reconnects: that is no new call.
        again = Dialled(server.url)
        await again.connect(restart=caller.pc_id)
        await again.hang_up()
        assert await exit_code(server) == 0


async def test_when_the_grace_period_is_over_the_call_ends_and_may_come_back(monkeypatch):
    async with server_and_caller(1, monkeypatch) as (server, caller):
        server._process.send_signal(signal.SIGTERM)
        ended = await caller.wait_for(lambda m: state(m) == "ended")
        assert ended["data"]["reason"] == "the server is restarting"
        assert ended["data"]["come_back"]
        assert await exit_code(server) == 0


async def test_a_second_signal_ends_it_at_once(monkeypatch):
    async with server_and_caller(300, monkeypatch) as (server, caller):
        server._process.send_signal(signal.SIGTERM)
        await caller.wait_for(lambda m: notice(m, "drain"))
        server._process.send_signal(signal.SIGTERM)
        ended = await caller.wait_for(lambda m: state(m) == "ended")
        assert not ended["data"]["come_back"]
        assert await exit_code(server) == 0


async def test_a_server_without_calls_ends_at_once(monkeypatch):
    monkeypatch.setenv("VISION_AGENT_DRAIN_S", "300")
    async with ForkedServer("--scenario", str(TONES)) as server:
        server._process.send_signal(signal.SIGTERM)
        assert await exit_code(server) == 0
