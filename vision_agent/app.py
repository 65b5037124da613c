"""The web application: signalling, the page, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from vision_agent import rtc
from vision_agent.call_registry import CallRegistry
from vision_agent.closing import close_each
from vision_agent.freed_memory import given_back, leave_out_of_collection
from vision_agent.http.body import BoundedBody
from vision_agent.http.descriptors import none_left, raise_limit, said_once
from vision_agent.http.refusal import Refusal
from vision_agent.http.termination import Termination
from vision_agent.metrics import Metrics
from vision_agent.settings import Settings, web_folder
from vision_agent.signalling import signalling_router
from vision_agent.switchboard import Switchboard
from vision_agent.version import __version__


class _Application(FastAPI):
    """FastAPI with what every request and every response passes, also those of its own errors."""

    def build_middleware_stack(self) -> ASGIApp:
        return BoundedBody(super().build_middleware_stack())


def create_app(settings: Settings | None = None, *, agents: Switchboard | None = None) -> FastAPI:
    """The application, ready for any ASGI server.

    Args:
        settings: The options; None reads them from the environment.
        agents: The agents already made from those settings; None makes them.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't work.
        DatabaseError: The sessions' database is none.
    """
    settings = settings or Settings()
    switchboard = agents or Switchboard(settings)
    metrics = Metrics()
    metrics.watch_sessions(switchboard.session_counts)
    metrics.watch_memory(switchboard.memory_counts)
    metrics.watch_local(lambda: switchboard.local_restarts)
    registry = CallRegistry(switchboard, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise_limit()
        rtc.install()
        await switchboard.start()
        leave_out_of_collection()
        termination = Termination(lambda: registry.drain(settings.drain_s))
        termination.install()
        try:
            with said_once(asyncio.get_running_loop()):
                async with given_back():
                    yield
        finally:
            restarting = termination.restarting
            reason = "the server is restarting" if restarting else "the server is stopping"
            await close_each(
                ("the signals", termination.remove),
                ("the calls", lambda: registry.close(reason, come_back=restarting)),
            )
            await switchboard.close()

    app = _Application(
        title="vision_agent", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.registry = registry
    app.state.metrics = metrics
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )

    @app.exception_handler(Refusal)
    async def refuse(_: Request, refusal: Refusal) -> JSONResponse:
        metrics.offers_refused.labels(str(refusal.status)).inc()
        return refusal.response()

    @app.exception_handler(HTTPException)
    async def refuse_in_words(_: Request, error: HTTPException) -> JSONResponse:
        return Refusal(error.status_code, _sentence(error), error.headers).response()

    @app.exception_handler(ClientDisconnect)
    async def forget(_: Request, gone: ClientDisconnect) -> Response:
        return Response(status_code=400)  # for nobody: the client left in the middle of its request

    @app.exception_handler(OSError)
    async def refuse_without_descriptors(_: Request, error: OSError) -> JSONResponse:
        if not none_left(error):
            raise error
        text = "The server has no file descriptor left for this. Try again shortly."
        return Refusal(503, text, {"Retry-After": "5"}).response()

    @app.exception_handler(Exception)
    async def fail(_: Request, error: Exception) -> JSONResponse:
        # Starlette raises it again once this is sent, and the ASGI server logs it.
        return Refusal(500, "Something went wrong on the server. Try again.").response()

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Whether the server takes and answers calls, and how many it has; 503 if not, and why."""
        content = {"status": "ok", "calls": len(registry), "max_calls": settings.max_calls}
        if registry.draining:
            content["status"] = "draining"
        elif problem := switchboard.problem:
            content |= {"status": "unavailable", "reason": problem}
        return JSONResponse(content, 200 if content["status"] == "ok" else 503)

    @app.get("/metrics")
    async def show_metrics() -> Response:
        """The counters, in Prometheus' text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.include_router(signalling_router(registry, switchboard, settings))
    # Last: it answers every path that nothing above does.
    app.mount("/", StaticFiles(directory=web_folder(), html=True), name="web")
    return app


def _sentence(error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return "There is nothing at this address."
        case 405:
            return "This address does not take that method."
        case _:
            return str(error.detail)
