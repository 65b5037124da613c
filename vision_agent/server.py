"""Run the application on a socket until Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from vision_agent.app import create_app
from vision_agent.settings import Settings
from vision_agent.switchboard import Switchboard


class ServerError(RuntimeError):
    """The server can't start; the text says why."""


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers, and for which a signal is a request to end, no more."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # ADK and what it brings are a million objects that never go: left to the collector,
            # they would hold up the voice at each full pass, and the process's end by 2 s.
            gc.collect()
            gc.freeze()
            self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal once more at the end, so that a clean stop would exit
        # with an error or a traceback.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def run_server(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then end the calls and return, within two seconds.

    Args:
        settings: The options.
        say: Takes the lines for the person who started it.

    Raises:
        AgentError, ModelError: See `Switchboard`.
        ServerError: The address can't be bound, or the brain did not start.
    """
    agents = Switchboard(settings)
    app = create_app(settings, agents=agents)
    bound = _bind(settings)
    address = f"http://{_shown_host(settings.host)}:{bound.getsockname()[1]}"

    def announce() -> None:
        say(f"vision-agent: {address}")
        say(agents.summary)
        if not _is_loopback(settings.host):
            say(
                "Browsers give a camera to https:// pages and to localhost only: "
                "from elsewhere, put an HTTPS proxy in front."
            )
        say("Press Ctrl-C to stop.")

    config = uvicorn.Config(
        app,
        log_level="warning",
        # A page may keep a connection open; it does not hold up the end.
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    server = _Server(config, announce)
    with bound:
        asyncio.run(server.serve(sockets=[bound]))
    if not server.started:
        raise ServerError("The server did not start; the reason stands above.")


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise ServerError(
            f"Can't listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another with --port (0 picks a free one)."
        ) from error
    return bound


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host
