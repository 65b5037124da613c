"""SIGTERM and Ctrl-C under an ASGI server that knows nothing of calls."""

import asyncio
import contextlib
import os
import signal
import socket
import sys

import psutil

from tests.server.ingress.plain_uvicorn import plain_uvicorn
from tests.support.dialling import Dialled, request
from tests.support.forked import start_forked
from tests.support.messages import notice, refusal, said, state
from tests.support.scenarios import TONES
from tests.support.waiting import until
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


async def test_gunicorn_reloads_and_the_caller_goes_on_in_the_next_worker(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    url = f"http://{address}"
    ours = {
        "VISION_AGENT_DATA_DIR": str(tmp_path),
        "VISION_AGENT_SCENARIO": str(TONES),
        "VISION_AGENT_DRAIN_S": "1",
    }
    gunicorn = await start_forked(
        *(sys.executable, "-m", "gunicorn", "-k", "uvicorn_worker.UvicornWorker"),
        *("-w", "1", "-b", address, f"{APP}()"),
        env={**os.environ, **ours},
    )

    async def healthy() -> bool:
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(request, "GET", f"{url}/healthz") is not None
        return False

    callers = [Dialled(url), Dialled(url)]
    try:
        await until(healthy, 90)
        first, second = callers
        await first.connect()
        first.send("send-text", {"content": "hello"})
        await first.wait_for(lambda m: bool(said(m)))
        (worker,) = psutil.Process(gunicorn.pid).children()
        gunicorn.send_signal(signal.SIGHUP)
        await first.wait_for(lambda m: notice(m, "drain"))
        ended = await first.wait_for(lambda m: state(m) == "ended")
        assert ended["data"]["come_back"]
        await until(lambda: not worker.is_running())  # it refuses offers until then
        await until(healthy, 60)
        await second.connect(resume=first.answer["resume"])
        assert second.answer["resumed"]
        await second.hang_up()
        gunicorn.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gunicorn.wait(), 30) == 0
    finally:
        for caller in callers:
            await caller.peer.close()
        if gunicorn.returncode is None:
            gunicorn.kill()
        await gunicorn.wait()


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


async def test_two_in_one_process_drain_at_once_and_the_handler_waits_for_both():
    arrived = asyncio.Event()
    begun, drained = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]

    def draining(which: int):
        async def drain() -> None:
            begun[which].set()
            await drained[which].wait()

        return drain

    def before(number, frame):
        arrived.set()

    kept = signal.signal(signal.SIGTERM, before)
    try:
        both = [Termination(draining(which)) for which in (0, 1)]
        for each in both:
            each.install()
        signal.raise_signal(signal.SIGTERM)
        for event in begun:
            await asyncio.wait_for(event.wait(), 10)
        drained[1].set()
        await asyncio.wait([both[1]._draining])
        await asyncio.sleep(0)
        assert not arrived.is_set()
        drained[0].set()
        await asyncio.wait_for(arrived.wait(), 10)
        # They may be removed in either order.
        await both[0].remove()
        await both[1].remove()
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
