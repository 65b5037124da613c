"""The real application in this process, with clients at chosen addresses and without an engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.support.offers import offer
from tests.support.scenarios import SILENT
from vision_agent import Settings, create_app

TOKEN = {"Authorization": "Bearer s3cret"}


@asynccontextmanager
async def application(**settings: object) -> AsyncIterator:
    """Yields a function that makes clients: `client("1.1.1.1")`, or with another base URL."""
    app = create_app(
        Settings(_env_file=None, session_db="memory", scenario=SILENT, model="local", **settings)
    )

    def client(address: str = "127.0.0.1", url: str = "http://localhost") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url=url)

    async with app.router.lifespan_context(app):
        yield client


@asynccontextmanager
async def offered() -> AsyncIterator[dict[str, str]]:
    """The body of an offer that is never connected."""
    peer, body = await offer()
    try:
        yield body
    finally:
        await peer.close()
