"""What the servers with OpenAI's interfaces have in common: where they listen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def openai_server(*routes: web.RouteDef) -> AsyncIterator[str]:
    """Serves these paths on a free port; the address of what is below ``/v1``."""
    app = web.Application()
    app.router.add_routes(routes)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()
