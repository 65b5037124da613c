"""The client of a server with OpenAI's interface."""

import pytest
from aiohttp import web

from tests.support.openai_server import openai_server
from vision_agent.local import openai_server as client_module
from vision_agent.local.openai_server import OpenAIServer
from vision_agent.own_models import Brain


@pytest.mark.parametrize(("kept_s", "connections"), [(60.0, 1), (0.0, 2)])
async def test_an_idle_connection_is_used_again_only_as_long_as_it_is_kept(
    kept_s: float, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "KEPT_S", kept_s)
    ports: list[int] = []

    async def models(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({"data": [{"id": "tiny"}]})

    async with openai_server(web.get("/v1/models", models)) as url:
        server = OpenAIServer(Brain(url, None, None), "--brain-model")
        assert [await server.models() for _ in range(2)] == 2 * [["tiny"]]
        await server.close()
    assert len(set(ports)) == connections
