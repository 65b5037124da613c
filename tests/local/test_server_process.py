"""The local Live API as a process of its own."""

from __future__ import annotations

import asyncio
import signal

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


ENDINGS = {
    "its input ends": close_input,
    "SIGTERM": lambda process: process.send_signal(signal.SIGTERM),
    "SIGINT": lambda process: process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
async def test_it_serves_until_it_is_told_to_stop_and_leaves_no_process(end: object) -> None:
    async with running() as process:
        server = await announced(process)
        workers = family(process)
        client = Client(vertexai=False, api_key="any", http_options=http_options(server))
        config = types.LiveConnectConfig(response_modalities=["AUDIO"])
        async with (
            client.aio.live.connect(model="local", config=config) as session,
            Heard(session) as heard,
        ):
            await type_text(session, "hello")
            await heard.until("audio", within_s=30)
            end(process)  # type: ignore[operator]
            assert await ended(process) == 0
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []


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
