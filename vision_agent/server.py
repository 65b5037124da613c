"""Run the application on a socket until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType

import uvicorn

from vision_agent.app import create_app
from vision_agent.call_registry import CallRegistry
from vision_agent.live.failure import DatabaseError
from vision_agent.settings import Settings
from vision_agent.switchboard import Switchboard

logger = logging.getLogger(__name__)


class ServerError(RuntimeError):
    """The server can't start; the text says why."""


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers, and drains before it ends.

    The first SIGTERM drains; SIGINT, or a second signal, ends it at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        drain: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self._draining is None and not self.should_exit:
            self._draining = asyncio.get_running_loop().create_task(self._drain(), name="drain")
            self._draining.add_done_callback(self._drained)
        else:
            super().handle_exit(sig, frame)

    def _drained(self, task: asyncio.Task[None]) -> None:
        self.should_exit = True
        if not task.cancelled() and (error := task.exception()):
            logger.error("draining failed", exc_info=error)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # ADK and what it brings are a million objects that never go: left to the collector,
            # they would hold up the voice at each full pass, and the process's end by 2 s.
            gc.collect()
            gc.freeze()
            self._announce()

    @contextlib.contextmanager
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


def run_server(settings: Settings, *, say: Callable[[str], None], until_eof: bool = False) -> None:
    """Serve until SIGINT or SIGTERM.

    SIGINT ends the calls and returns within two seconds. SIGTERM first lets the calls in progress
    go on for `Settings.drain_s`, while new ones are refused; a second signal ends that.

    Args:
        settings: The options.
        say: Takes the lines for the person who started it.
        until_eof: The end of standard input is a SIGINT too: for a parent that may be killed.

    Raises:
        AgentError, ModelError: See `Switchboard`.
        ServerError: The address can't be bound, the sessions' database can't be used, or the
            brain did not start.
    """
    try:
        agents = Switchboard(settings)
        asyncio.run(agents.check())
    except DatabaseError as error:
        raise ServerError(str(error)) from error
    app = create_app(settings, agents=agents)
    bound = _bind(settings)
    address = f"http://{_shown_host(settings.host)}:{bound.getsockname()[1]}"

    def announce() -> None:
        if until_eof:
            _at_end_of_input(lambda: server.handle_exit(signal.SIGINT, None))
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
    registry: CallRegistry = app.state.registry
    server = _Server(config, announce, lambda: registry.drain(settings.drain_s))
    with bound:
        asyncio.run(server.serve(sockets=[bound]))
    if not server.started:
        raise ServerError("The server did not start; the reason stands above.")


def _at_end_of_input(call: Callable[[], None]) -> None:
    """Call it on the event loop that runs now, when standard input ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            loop.call_soon_threadsafe(call)

    # A thread, because not every standard input can be watched by the event loop; a daemon,
    # because nothing waits for it when a signal ends the process.
    threading.Thread(target=wait, name="standard input", daemon=True).start()


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
