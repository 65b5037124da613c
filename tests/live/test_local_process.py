"""The embedded local Live API: for this program alone, and for as many calls as it takes."""

from __future__ import annotations

import ssl
from pathlib import Path

import psutil
import pytest
from google.genai import Client, errors, types

from vision_agent.live.local_process import LocalServer

CONFIG = types.LiveConnectConfig(response_modalities=["AUDIO"])


def client(server: LocalServer, key: str) -> Client:
    trust = ssl.create_default_context(cadata=server.certificate_pem)
    options = types.HttpOptions(base_url=server.base_url, async_client_args={"ssl": trust})
    return Client(vertexai=False, api_key=key, http_options=options)


async def test_it_takes_the_key_it_was_started_with_and_no_other(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    server = await LocalServer.start(scenario)
    try:
        for key in ("any", "local"):
            with pytest.raises(errors.APIError) as refused:
                async with client(server, key).aio.live.connect(model="local", config=CONFIG):
                    pass
            assert "API key not valid" in str(refused.value)
        async with client(server, server.api_key).aio.live.connect(model="local", config=CONFIG):
            pass
        # Other users of the machine can read a command line.
        assert server.api_key not in " ".join(psutil.Process(server.process.pid).cmdline())
    finally:
        await server.close()


async def test_it_takes_as_many_connections_as_the_calls_it_is_for(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    server = await LocalServer.start(scenario, most_calls=50)
    opened = []
    try:
        for _ in range(100):
            context = client(server, server.api_key).aio.live.connect(model="local", config=CONFIG)
            await context.__aenter__()
            opened.append(context)
    finally:
        for context in opened:
            await context.__aexit__(None, None, None)
        await server.close()
