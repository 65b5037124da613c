"""The server of one worker: the whole application, with its own event loop and UDP port."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import uvicorn

from vision_agent.agents.directory import StartLocal
from vision_agent.cluster.forwarded import Forwarded
from vision_agent.cluster.worker_state import WorkerDidNotStart
from vision_agent.rtc.udp_ports import CannotReceive
from vision_agent.server.app import app_of
from vision_agent.server.ingress.connections import Connections, bounded_protocol
from vision_agent.server.listening import BACKLOG, listen, shown
from vision_agent.server.receiving import Receiving
from vision_agent.server.video_agent import VideoAgent
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

CONNECTIONS = 500
"""The connections of ingresses, each of which keeps up to a hundred."""

STOP_S = 5.0


class Served:
    """Runs the application in a thread, so that neither it nor Ray waits for the other.

    Args:
        settings: The options, with the worker's name.
        host: The address for requests of ingresses.
        start_local: Finds the local Live API that the workers of a node share.

    Attributes:
        key: The key that an ingress has to send.
        url: Where it takes requests.
        udp: Where media arrives, as a sentence.

    Raises:
        WorkerDidNotStart: See there.
    """

    def __init__(self, settings: Settings, host: str, start_local: StartLocal) -> None:
        self.key = secrets.token_urlsafe(24)
        self._settings = settings
        receiving = receiving_for_worker(settings)
        self.udp = receiving.described
        video = VideoAgent(settings, own_process=True, receiving=receiving, start_local=start_local)
        self._registry, self._agents = video.registry, video.agents
        self._socket = listen(host, 0)
        self.url = f"http://{shown(host, self._socket.getsockname()[1])}"
        self._up = threading.Event()
        self._server = _AnnouncingServer(
            uvicorn.Config(
                Forwarded(app_of(video), self.key),
                http=bounded_protocol(Connections(CONNECTIONS, CONNECTIONS)),
                ws="none",
                proxy_headers=False,
                backlog=BACKLOG,
                log_level="warning",
                log_config=None,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
                lifespan="on",
            ),
            self._up.set,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="calls", daemon=True)
        self._thread.start()
        self._up.wait()
        if not self._server.started:
            raise WorkerDidNotStart("The worker did not start; the reason stands above.")

    @property
    def calls(self) -> tuple[str, ...]:
        """The ids of the calls in progress."""
        ids: tuple[str, ...] = self._registry.ids
        return ids

    @property
    def draining(self) -> bool:
        """Whether it takes no new calls."""
        return bool(self._registry.draining)

    @property
    def problem(self) -> str | None:
        """Why it can't answer calls at the moment; None if it can."""
        return self._agents.problem

    async def drain(self, grace_s: float) -> None:
        """Take no more calls, let those in progress continue for a while, then stop."""
        await asyncio.wrap_future(self._in_loop(self._registry.drain(grace_s)))
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join, STOP_S)

    def _in_loop(self, coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([self._socket])

        try:
            # Not Ray's event loop, which may be of another kind, but one as in `serve`.
            asyncio.run(serve())
        except BaseException:
            logger.exception("the server of a worker has ended")
        finally:
            self._up.set()
            self._socket.close()


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def receiving_for_worker(settings: Settings) -> Receiving:
    """The UDP port of one worker, bound: any free one, or the first free one of `udp_ports`.

    Raises:
        WorkerDidNotStart: All of them are taken.
    """
    ends = settings.port_range()
    if ends is None:
        receiving = Receiving(settings.model_copy(update={"port": 0, "udp_port": None}))
        receiving.bind()
        return receiving
    for port in range(ends[0], ends[1] + 1):
        receiving = Receiving(settings.model_copy(update={"udp_ports": None, "udp_port": port}))
        try:
            receiving.bind()
        except CannotReceive:
            continue
        return receiving
    raise WorkerDidNotStart(f"All UDP ports of {settings.udp_ports} are taken.")
