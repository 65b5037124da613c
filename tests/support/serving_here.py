"""An application on a socket, in this process and on this event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serving_here(app: ASGIApp) -> AsyncIterator[str]:
    """The address of an application on a socket of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # clients that connect before the server is ready wait for it
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        # `serve` would install uvicorn's signal handlers in place of the test's own.
        task = asyncio.create_task(server._serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
