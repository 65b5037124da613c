"""Run the application on a socket until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from vision_agent.addresses import Proxies, is_loopback
from vision_agent.data_folder import DatabaseError
from vision_agent.rtc.udp_ports import CannotReceive
from vision_agent.server.announcement import Announcement
from vision_agent.server.app import app_of
from vision_agent.server.certificate import CertificateError
from vision_agent.server.ingress.complaints import OncePerMinute
from vision_agent.server.ingress.connections import Connections, bounded_protocol
from vision_agent.server.ingress.descriptors import raise_limit
from vision_agent.server.ingress.https_only import HttpsOnly
from vision_agent.server.kept_recordings import CannotRecord, prepare_recordings
from vision_agent.server.lan import reachable_hosts
from vision_agent.server.listening import BACKLOG, CannotListen, listen
from vision_agent.server.tls import chosen_tls
from vision_agent.server.tls_listener import TlsListener
from vision_agent.server.video_agent import VideoAgent
from vision_agent.settings import Settings

MIN_CONNECTIONS = 10
"""Connections kept even if there are few file descriptors; calls need most of those."""

HANGS_AFTER_S = 5.0
"""A signal that comes this long after the first one ends the server at once."""


class ServerError(RuntimeError):
    """The server can't start; the text says why."""


class _Server(uvicorn.Server):
    """uvicorn with an announcement once it serves.

    Args:
        config: uvicorn's options.
        announce: Called once it serves.
        listen_with_tls: Starts the listener that accepts connections in uvicorn's place.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        listen_with_tls: Callable[..., TlsListener] | None,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._listen_with_tls = listen_with_tls
        self._listener: TlsListener | None = None
        self._ends_since_s: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([] if self._listen_with_tls else sockets)
        if not self.started:
            return
        if self._listen_with_tls:
            protocol: Any = self.config.http_protocol_class
            self._listener = self._listen_with_tls(
                make_protocol=lambda: protocol(
                    config=self.config,
                    server_state=self.server_state,
                    app_state=self.lifespan.state,
                )
            )
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._listener:
            await self._listener.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A second Ctrl-C makes uvicorn leave the lifespan out, and with it the calls' goodbyes and
        # the local Live API. The end is bounded, so only one that hangs is cut short.
        now_s = time.monotonic()
        self._ends_since_s = self._ends_since_s or now_s
        self.should_exit = True
        self.force_exit |= now_s - self._ends_since_s > HANGS_AFTER_S

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


def run_server(
    settings: Settings,
    *,
    say: Callable[[str], None],
    until_eof: bool = False,
    show_token: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM.

    SIGINT ends the calls and returns within two seconds. SIGTERM first lets the calls in progress
    continue for `Settings.drain_s` and refuses new ones; a second signal ends them at once.

    Args:
        settings: The options.
        say: Takes the lines for the person who started it.
        until_eof: Treat the end of standard input as SIGINT, for a parent that may be killed.
        show_token: Whether the access token may be part of what is said: to a terminal.

    Raises:
        AgentError, ModelError: See `AgentDirectory`.
        ServerError: The address can't be bound, the certificate or the sessions' database can't be
            used, or the local Live API did not start.
    """
    try:
        prepare_recordings(settings)
        tls = chosen_tls(settings)
        video = VideoAgent(settings, own_process=True)
        asyncio.run(video.agents.check())
    except (CannotRecord, CertificateError, DatabaseError) as error:
        raise ServerError(str(error)) from error
    app, agents, receiving = app_of(video), video.agents, video.receiving
    details: tuple[str, ...] = ()
    if settings.record is not None:
        details += (f"Recordings: {settings.record}",)
    if tls and tls.warning:
        details += (f"Warning: {tls.warning}",)
    try:
        bound = listen(settings.host, settings.port)
        if video.operator_port is not None:
            operators_at = video.operator_port.bind()
            details += (f"Health and metrics: port {operators_at} of {settings.operator_host}",)
        receiving.bind()
        asyncio.run(receiving.find_public_addresses())
    except (CannotListen, CannotReceive) as error:
        raise ServerError(str(error)) from error

    def announce() -> None:
        if until_eof:
            _at_end_of_input(lambda: server.handle_exit(signal.SIGINT, None))
        announcement = Announcement(
            bound_to=settings.host,
            port=bound.getsockname()[1],
            hosts=tls.hosts if tls else reachable_hosts(settings.host),
            details=(agents.summary, receiving.described, *details),
            https=tls is not None,
            authority=tls.authority if tls else None,
            token=settings.token.get_secret_value() if settings.token else None,
            show_token=show_token,
            paid=any(host.model_choice.kind != "local" for host in agents.hosts.values()),
        )
        for line in announcement.lines():
            say(line)

    proxies = Proxies(settings.trusted_proxies)

    def bounded_connections() -> Connections[Any]:
        return Connections(
            min(settings.max_connections, max(MIN_CONNECTIONS, raise_limit() // 4)),
            settings.max_connections_per_address,
            # A local process has other means anyway; a proxy's connections are all its callers'.
            unlimited=lambda address: is_loopback(address) or proxies.trusted(address),
        )

    config = uvicorn.Config(
        HttpsOnly(app) if tls else app,
        http=bounded_protocol(bounded_connections()),
        ws="none",
        proxy_headers=False,  # `RealCaller` handles them
        backlog=BACKLOG,
        log_level="warning",
        # uvicorn's own handlers would write in another format than ours.
        log_config=None,
        # A page may keep a connection open; the end does not wait for it.
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").addFilter(OncePerMinute())
    listen_with_tls = None
    if tls:
        starting = bounded_connections()
        listen_with_tls = partial(TlsListener, bound, tls.certificate, starting=starting)
    server = _Server(config, announce, listen_with_tls)
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
