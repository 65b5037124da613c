"""Run the application on a socket until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from vision_agent.addresses import Proxies, is_loopback
from vision_agent.agents.directory import AgentDirectory
from vision_agent.data_folder import DatabaseError
from vision_agent.rtc.udp_ports import CannotReceive
from vision_agent.server.app import create_app
from vision_agent.server.ingress.complaints import OncePerMinute
from vision_agent.server.ingress.connections import Connections, bounded_protocol
from vision_agent.server.ingress.descriptors import raise_limit
from vision_agent.server.ingress.exposure import ADVICE, exposure
from vision_agent.server.lan import reachable_hosts
from vision_agent.server.listening import CannotListen, listen
from vision_agent.server.options import agent_options
from vision_agent.server.receiving import Receiving
from vision_agent.settings import Settings

MIN_CONNECTIONS = 10
"""Connections kept even if there are few file descriptors; calls need most of those."""

BACKLOG = 256


class ServerError(RuntimeError):
    """The server can't start; the text says why."""


class _Server(uvicorn.Server):
    """uvicorn with an announcement once it serves."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own version raises the signal again at the end, so that a clean stop would exit
        # with an error or a traceback.
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_server(settings: Settings, *, say: Callable[[str], None], until_eof: bool = False) -> None:
    """Serve until SIGINT or SIGTERM.

    SIGINT ends the calls and returns within two seconds. SIGTERM first lets the calls in progress
    continue for `Settings.drain_s` and refuses new ones; a second signal ends them at once.

    Args:
        settings: The options.
        say: Takes the lines for the person who started it.
        until_eof: Treat the end of standard input as SIGINT, for a parent that may be killed.

    Raises:
        AgentError, ModelError: See `AgentDirectory`.
        ServerError: The address can't be bound, the sessions' database can't be used, or the
            local Live API did not start.
    """
    try:
        agents = AgentDirectory(agent_options(settings))
        asyncio.run(agents.check())
    except DatabaseError as error:
        raise ServerError(str(error)) from error
    receiving = Receiving(settings)
    app = create_app(settings, agents=agents, receiving=receiving)
    try:
        bound = listen(settings.host, settings.port)
        receiving.bind()
    except (CannotListen, CannotReceive) as error:
        raise ServerError(str(error)) from error
    address = f"http://{_shown_host(settings.host)}:{bound.getsockname()[1]}"

    def announce() -> None:
        if until_eof:
            _at_end_of_input(lambda: server.handle_exit(signal.SIGINT, None))
        say(f"vision-agent: {address}")
        say(agents.summary)
        say(receiving.described)
        if not is_loopback(settings.host):
            port = bound.getsockname()[1]
            hosts = reachable_hosts(settings.host)
            say("For others: " + ", ".join(f"http://{host}:{port}" for host in hosts))
            say(
                "Browsers give a camera to https:// pages and to localhost only: "
                "from elsewhere, put an HTTPS proxy in front."
            )
        paid = any(host.model_choice.kind != "local" for host in agents.hosts.values())
        has_token = settings.token is not None
        if open_to_all := exposure(settings.host, has_token=has_token, paid=paid):
            say(f"Warning: {open_to_all} {ADVICE}")
        say("Press Ctrl-C to stop.")

    proxies = Proxies(settings.trusted_proxies)
    connections: Connections[object] = Connections(
        min(settings.max_connections, max(MIN_CONNECTIONS, raise_limit() // 4)),
        settings.max_connections_per_address,
        # A local process has other means anyway, and a proxy's connections are all its callers'.
        unlimited=lambda address: is_loopback(address) or proxies.trusted(address),
    )
    config = uvicorn.Config(
        app,
        http=bounded_protocol(connections),
        ws="none",
        proxy_headers=False,  # `RealCaller` handles them
        # asyncio accepts this many at once, before any of them can be refused.
        backlog=BACKLOG,
        log_level="warning",
        # uvicorn's own handlers would write in another format than ours.
        log_config=None,
        # A page may keep a connection open; the end does not wait for it.
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").addFilter(OncePerMinute())
    server = _Server(config, announce)
    with bound:
        asyncio.run(server.serve(sockets=[bound]))
    if not server.started:
        raise ServerError("The server did not start; the reason stands above.")


def _at_end_of_input(call: Callable[[], None]) -> None:
    """Call a function on the running event loop when standard input ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            loop.call_soon_threadsafe(call)

    # A thread, because the event loop can't watch every kind of standard input; a daemon, because
    # nothing waits for it when a signal ends the process.
    threading.Thread(target=wait, name="standard input", daemon=True).start()


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host
