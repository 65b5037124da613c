"""The embedded local Live API: it serves this program only, and has room for all of its calls."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import ssl
from pathlib import Path

import psutil
import pytest
from google.genai import Client, errors, types

from tests.support.waiting import until
from vision_agent.live.local_process import LocalLiveApi, LocalLiveApiAway

CONFIG = types.LiveConnectConfig(response_modalities=["AUDIO"])


def client(server: LocalLiveApi, key: str) -> Client:
    address = server.newest_address
    trust = ssl.create_default_context(cadata=address.certificate_pem)
    options = types.HttpOptions(base_url=address.base_url, async_client_args={"ssl": trust})
    return Client(vertexai=False, api_key=key, http_options=options)


@pytest.mark.usefixtures("children_as_always")
async def test_it_takes_the_key_it_was_started_with_and_no_other(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    server = await LocalLiveApi.start(scenario)
    try:
        for key in ("any", "local"):
            with pytest.raises(errors.APIError) as refused:
                async with client(server, key).aio.live.connect(model="local", config=CONFIG):
                    pass
            assert "API key not valid" in str(refused.value)
        async with client(server, server.newest_address.api_key).aio.live.connect(
            model="local", config=CONFIG
        ):
            pass
        # Other users of the machine can read a command line.
        assert server.newest_address.api_key not in " ".join(psutil.Process(server.pid).cmdline())
    finally:
        await server.close()


async def test_it_takes_as_many_connections_as_the_calls_it_is_for(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    server = await LocalLiveApi.start(scenario, most_calls=50)
    opened = []
    try:
        caller = client(server, server.newest_address.api_key)
        for _ in range(100):
            context = caller.aio.live.connect(model="local", config=CONFIG)
            await context.__aenter__()
            opened.append(context)
    finally:
        for context in opened:
            await context.__aexit__(None, None, None)
        await server.close()


async def test_one_that_is_killed_is_started_again_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    with caplog.at_level(logging.WARNING):
        server = await LocalLiveApi.start(scenario)
        try:
            before = server.newest_address
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda: server.problem is not None)
            assert server.problem is not None
            assert "exit status -9" in server.problem
            after = await server.address()
            assert server.problem is None
            assert after != before
            async with client(server, after.api_key).aio.live.connect(model="local", config=CONFIG):
                pass
            assert server.restarts == 1
        finally:
            await server.close()
    [line] = [r.getMessage() for r in caplog.records if r.name.endswith("local_process")]
    assert line.startswith("The local Live API ended unexpectedly")


async def test_one_that_can_not_be_started_again_is_tried_ever_more_rarely_and_then_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.live.local_process.AWAY_S", 0.05)
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    server = await LocalLiveApi.start(scenario)
    try:
        scenario.rename(tmp_path / "away.yaml")
        with caplog.at_level(logging.WARNING):
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda: "can't be started again" in (server.problem or ""))
            with pytest.raises(LocalLiveApiAway, match="can't be started again"):
                await server.address()
            (tmp_path / "away.yaml").rename(scenario)
            await until(lambda: server.problem is None)
        assert await server.address()
    finally:
        await server.close()


@pytest.mark.usefixtures("children_as_always")
async def test_its_workers_end_with_it_however_it_ends(tmp_path: Path) -> None:
    server = await LocalLiveApi.start(data_dir=tmp_path)
    try:
        child = psutil.Process(server.pid)
        await until(lambda: len(child.children()) == 2)
        workers = child.children()
        # Each has a process group of its own: no signal to the child's group reaches it.
        assert len({os.getpgid(process.pid) for process in (child, *workers)}) == 3
        child.kill()
        await until(lambda: not any(alive(process) for process in workers))
    finally:
        await server.close()


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
