"""SIGTERM under an ASGI server that knows nothing of calls."""

import asyncio
import signal

from tests.server.ingress.plain_uvicorn import plain_uvicorn
from tests.support.dialling import Dialled
from tests.support.messages import notice, refusal, said, state
from vision_agent.server.ingress.termination import Termination

APP = "vision_agent:create_app"


async def test_under_plain_uvicorn_a_call_goes_on_and_then_may_come_back():
    async with plain_uvicorn(APP, VISION_AGENT_DRAIN_S="6") as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            server.process.send_signal(signal.SIGTERM)
            await caller.wait_for(lambda m: notice(m, "drain"))
            assert (await refusal(f"{server.url}/healthz")).code == 503
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: bool(said(m)))
            ended = await caller.wait_for(lambda m: state(m) == "ended")
            assert ended["data"]["come_back"]
        finally:
            await caller.peer.close()
        await asyncio.wait_for(server.process.wait(), 30)


async def test_under_plain_uvicorn_ctrl_c_ends_calls_at_once_for_good():
    async with plain_uvicorn(APP, VISION_AGENT_DRAIN_S="300") as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            server.process.send_signal(signal.SIGINT)
            ended = await caller.wait_for(lambda m: state(m) == "ended")
            assert not ended["data"]["come_back"]
        finally:
            await caller.peer.close()
        await asyncio.wait_for(server.process.wait(), 30)


async def test_the_handler_that_was_there_gets_the_signal_when_all_is_drained():
    order = []
    arrived = asyncio.Event()

    def before(number, frame):
        order.append("handler")
        arrived.set()

    async def drain() -> None:
        order.append("drained")

    kept = signal.signal(signal.SIGTERM, before)
    try:
        termination = Termination(drain)
        termination.install()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(arrived.wait(), 10)
        assert order == ["drained", "handler"]
        assert termination.restarting
        await termination.remove()
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, kept)


async def test_a_second_signal_does_not_wait_for_the_drain():
    arrived = asyncio.Event()
    drained = asyncio.Event()
    kept = signal.signal(signal.SIGTERM, lambda number, frame: arrived.set())
    try:
        termination = Termination(lambda: _wait(drained))
        termination.install()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        assert not arrived.is_set()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(arrived.wait(), 10)
        assert not termination.restarting
        await termination.remove()
    finally:
        signal.signal(signal.SIGTERM, kept)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
