"""A real server with a scripted engine, and google-genai's own client connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from google.genai import live, types

from tests.local.live_clients import MODEL_2, Connect, studio_client, vertex_client
from tests.local.scripted_engine import ScriptedEngine
from tests.support.networks import SHARED, share_networks
from vision_agent.local.server import LocalServer, serve

share_networks()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def networks_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines load their networks themselves: for tests that damage the weights."""
    for module, name in SHARED:
        monkeypatch.setattr(module, name, getattr(module, name).__wrapped__)


@pytest.fixture
async def server(engine: ScriptedEngine) -> AsyncIterator[LocalServer]:
    server = await serve("127.0.0.1", 0, engine)
    yield server
    await server.close()
    assert engine.open_ears == 0
    assert engine.open_answers == 0


@pytest.fixture
def connect(server: LocalServer) -> Connect:
    """Opens a session: ``connect(model, **config)``, on Vertex with ``vertex=True``."""

    def connect(
        model: str = MODEL_2, *, vertex: bool = False, **config: object
    ) -> AbstractAsyncContextManager[live.AsyncSession]:
        client = vertex_client(server) if vertex else studio_client(server)
        config.setdefault("response_modalities", ["AUDIO"])
        return client.aio.live.connect(model=model, config=types.LiveConnectConfig(**config))

    return connect
