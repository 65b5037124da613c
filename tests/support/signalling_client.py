"""An HTTP client of the application, in one process with it."""

from contextlib import asynccontextmanager

import httpx

from vision_agent import Settings, create_app


@asynccontextmanager
async def client(**settings):
    app = create_app(Settings(_env_file=None, **settings))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield http


async def calls(http) -> int:
    return (await http.get("/healthz")).json()["calls"]


async def close_calls(http) -> None:
    registry = http._transport.app.state.registry
    await registry.close("the test is over")
    assert len(registry) == 0
