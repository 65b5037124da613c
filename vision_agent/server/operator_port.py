"""A separate port for health and metrics, which callers can't reach."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from vision_agent.server.ingress.connections import Connections, bounded_protocol
from vision_agent.server.listening import listen

MAX_CONNECTIONS = 20
"""Enough for some monitoring systems. A new connection replaces the one that was idle longest."""


class _OperatorServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # their lifespan belongs to the server of the calls


class OperatorPort:
    """Serves an application on an address of its own.

    Args:
        app: The application.
        host: The address.
        port: The port; 0 takes any free one.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._bound: socket.socket | None = None

    def bind(self) -> int:
        """Bind the port before anything else starts; returns the port.

        Raises:
            CannotListen: The port can't be bound.
        """
        if self._bound is None:
            options = "VISION_AGENT_OPERATOR_HOST", "VISION_AGENT_OPERATOR_PORT"
            self._bound = listen(self._host, self._port, *options)
        port: int = self._bound.getsockname()[1]
        return port

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve within the context.

        Raises:
            CannotListen: The port can't be bound.
        """
        self.bind()
        assert self._bound is not None
        config = uvicorn.Config(
            self._app,
            http=bounded_protocol(Connections(MAX_CONNECTIONS, MAX_CONNECTIONS)),
            ws="none",
            lifespan="off",
            proxy_headers=False,
            log_level="warning",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        server = _OperatorServer(config)
        with self._bound as bound:
            self._bound = None
            task = asyncio.create_task(server.serve(sockets=[bound]), name="operator port")
            try:
                yield
            finally:
                server.should_exit = True
                await task
