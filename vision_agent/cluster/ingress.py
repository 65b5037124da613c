"""The ingress: takes HTTP requests from Ray Serve and passes each on to its worker."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
from prometheus_client import CONTENT_TYPE_LATEST
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from yarl import URL

from vision_agent.calls.refusal import Refusal
from vision_agent.cluster.forwarded import HOP_BY_HOP, headers_for
from vision_agent.cluster.metrics import joined
from vision_agent.cluster.options import ClusterOptions
from vision_agent.cluster.orphan import end_if_orphaned
from vision_agent.cluster.routes import Routes, worker_in
from vision_agent.cluster.worker_state import WorkerState
from vision_agent.logs import start_logging
from vision_agent.server.ingress.body import MAX_BODY_BYTES

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
CONNECT_S = 2.0
"""Bound on connecting: an ended process refuses at once, but a lost machine does not answer."""

RESPONSE_S = 60.0
KEPT_ALIVE_S = 5.0
"""Shorter than a worker keeps an idle connection, so that no connection is used at its end."""

AT_MOST_ASKED = 4
"""Workers that are asked for a new call before it is refused."""

_BEGINS_A_CALL = (("POST", "/api/offer"), ("POST", "/whip"))


class Ingress:
    """A Serve deployment; every replica does the same.

    Args:
        options: The deployment.
        fleet: Serve's handle of the `Fleet`.
    """

    async def __init__(self, options: ClusterOptions, fleet: Any) -> None:  # type: ignore[misc]
        start_logging(verbose=False)
        self._prefix = options.settings.root_path
        self._fleet = fleet
        self._routes = Routes()
        self._known = asyncio.Event()
        self._client = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=RESPONSE_S, sock_connect=CONNECT_S),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE_S),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        )
        self._looking = asyncio.create_task(self._look())
        self._orphaned = asyncio.create_task(end_if_orphaned())

    def check_health(self) -> None:
        """Raise if the workers are no longer looked up: Serve then replaces this replica."""
        if self._looking.done():
            raise RuntimeError("the ingress has stopped looking for workers")

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = _behind(self._prefix, request.scope["path"])
        try:
            body = await _body(request)
        except Refusal as refusal:
            return refusal.response()
        if not self._known.is_set():
            await asyncio.wait([asyncio.ensure_future(self._known.wait())], timeout=CONNECT_S)
        if path == "/healthz":
            return self._health()
        if path == "/metrics":
            return await self._metrics(request)
        begins = (request.method, path.rstrip("/")) in _BEGINS_A_CALL or path.startswith("/whip/")
        named = worker_in(request.method, path, body)
        now_s = asyncio.get_running_loop().time()
        response: Response | None = None
        for worker in self._routes.choose(named, now_s)[:AT_MOST_ASKED]:
            try:
                response = await self._pass_on(request, body, worker)
            except _Gone:
                self._routes.lost(worker.name)
                continue
            if response.status_code != 503 or named is not None or not begins:
                break
        if response is None:
            return Refusal(
                503, "No worker can be reached. Try again shortly.", {"Retry-After": "5"}
            ).response()
        if begins and named is None and response.status_code < 300:
            self._routes.placed(worker.name, now_s)
        return response

    async def _pass_on(self, request: Request, body: bytes, worker: WorkerState) -> Response:
        scope = request.scope
        target = (scope.get("raw_path") or scope["path"].encode()).decode("ascii")
        if scope["query_string"]:
            target += f"?{scope['query_string'].decode('ascii')}"
        try:
            async with self._client.request(
                request.method,
                URL(worker.url + target, encoded=True),
                headers=headers_for(scope, worker.key),
                data=body or None,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            logger.warning("Worker %s can't be reached: %s", worker.name, error)
            raise _Gone from error
        except TimeoutError as error:
            logger.warning("Worker %s has not answered in time.", worker.name)
            raise _Gone from error
        response = Response(content, answer.status)
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.raw_headers
            if name.lower().decode() not in HOP_BY_HOP
        ]
        return response

    def _health(self) -> Response:
        """Whether the cluster takes calls, and the number of its calls."""
        able = [one for one in self._routes.workers if not one.draining and one.problem is None]
        content: dict[str, Any] = {
            "status": "ok" if able else "unavailable",
            "calls": sum(one.calls for one in self._routes.workers),
            "max_calls": sum(one.capacity for one in able),
            "workers": len(self._routes),
        }
        if not able:
            problems = [one.problem for one in self._routes.workers if one.problem]
            content["reason"] = problems[0] if problems else "No worker is ready yet."
        return JSONResponse(content, 200 if able else 503)

    async def _metrics(self, request: Request) -> Response:
        """The metrics of all workers, each with the label `worker`."""
        workers = self._routes.workers
        answers = await asyncio.gather(
            *(self._pass_on(request, b"", each) for each in workers), return_exceptions=True
        )
        texts = {}
        for worker, answer in zip(workers, answers, strict=True):
            if isinstance(answer, Response):
                if answer.status_code != 200:
                    return answer  # workers have the same settings: no other one answers either
                texts[worker.name] = bytes(answer.body).decode()
            elif not isinstance(answer, _Gone):
                raise answer
        return Response(joined(texts), media_type=CONTENT_TYPE_LATEST)

    async def _look(self) -> None:
        while True:
            try:
                self._routes.replace(await self._fleet.table.remote())
                if len(self._routes):
                    self._known.set()
            except (RayError, RayServeException) as error:
                logger.warning("The fleet can't be asked; its last table is used: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)


class _Gone(Exception):
    """A worker can't be reached."""


async def _body(request: Request) -> bytes:
    """The body; `Refusal` 413 for one that is larger than a server takes."""
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        return b""  # RFC 9112 6.3; asking Serve's proxy for it would cost an actor call
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(413, f"The body is larger than {MAX_BODY_BYTES // 1024} KB.")
    return bytes(body)


def _behind(prefix: str, path: str) -> str:
    """A path behind the prefix under which a proxy shows the server."""
    return path.removeprefix(prefix) if prefix and f"{path}/".startswith(f"{prefix}/") else path
