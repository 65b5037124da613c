"""The local Live API as a process of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest
from google.genai import Client, types

from tests.local.live_clients import http_options
from tests.local.live_talk import Heard, type_text
from tests.local.processes import START_WITHIN_S, announced, family, running
from tests.support.forked import start_forked

END_WITHIN_S = 10


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(END_WITHIN_S):
        return await process.wait()


def close_input(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


@asynccontextmanager
async def speaking(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    server = await announced(process)
    client = Client(vertexai=False, api_key="any", http_options=http_options(server))
    config = types.LiveConnectConfig(response_modalities=["AUDIO"])
    async with (
        client.aio.live.connect(model="local", config=config) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "hello")
        await heard.until("audio", within_s=30)
        yield


async def test_it_serves_until_its_input_ends_and_leaves_no_process() -> None:
    async with running() as process, speaking(process):
        workers = family(process)
        assert len(workers) > 1
        close_input(process)
        assert await ended(process) == 0
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda it: it.name)
async def test_a_signal_ends_it(number: signal.Signals) -> None:
    async with running(start=start_forked) as process, speaking(process):
        process.send_signal(number)
        assert await ended(process) == 0


async def test_it_may_be_stopped_while_it_starts() -> None:
    async with running() as process:
        close_input(process)
        assert await ended(process) == 0


async def test_a_taken_port_is_an_error_in_words() -> None:
    listener = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with running("--port", str(port), start=start_forked) as process:
        assert process.stderr is not None
        async with asyncio.timeout(START_WITHIN_S):
            status, words = await asyncio.gather(process.wait(), process.stderr.read())
    listener.close()
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in words.decode()
