"""The web application: signalling, the page, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vision_agent import rtc
from vision_agent.call_registry import CallRegistry
from vision_agent.freed_memory import given_back, leave_out_of_collection
from vision_agent.http.termination import Termination
from vision_agent.metrics import Metrics
from vision_agent.settings import Settings, web_folder
from vision_agent.signalling import Refusal, signalling_router
from vision_agent.switchboard import Switchboard
from vision_agent.version import __version__


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
    registry = CallRegistry(switchboard, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        rtc.install()
        await switchboard.start()
        leave_out_of_collection()
        termination = Termination(lambda: registry.drain(settings.drain_s))
        termination.install()
        try:
            async with given_back():
                yield
        finally:
            await termination.remove()
            if termination.restarting:
                await registry.close("the server is restarting", come_back=True)
            else:
                await registry.close("the server is stopping")
            await switchboard.close()

    app = FastAPI(
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
        return JSONResponse({"error": refusal.text}, refusal.status, headers=refusal.headers)

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Whether the server takes calls, and how many it has; 503 once it is about to stop."""
        status = "draining" if registry.draining else "ok"
        content = {"status": status, "calls": len(registry), "max_calls": settings.max_calls}
        return JSONResponse(content, 503 if registry.draining else 200)

    @app.get("/metrics")
    async def show_metrics() -> Response:
        """The counters, in Prometheus' text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.include_router(signalling_router(registry, switchboard, settings))
    # Last: it answers every path that nothing above does.
    app.mount("/", StaticFiles(directory=web_folder(), html=True), name="web")
    return app
