"""The web application: signalling, the page, health and metrics."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from vision_agent import rtc
from vision_agent.addresses import Proxies, RealCaller
from vision_agent.agents.directory import AgentDirectory
from vision_agent.calls.admission import Admission
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.registry import CallRegistry
from vision_agent.closing import close_each
from vision_agent.resources import web_folder
from vision_agent.server.identification import Identify
from vision_agent.server.ingress.access import Access
from vision_agent.server.ingress.body import BoundedBody
from vision_agent.server.ingress.descriptors import log_shortage_once, raise_limit
from vision_agent.server.ingress.errors import tell_errors
from vision_agent.server.ingress.hosts import Hosts, KnownHosts
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.security_headers import SecurityHeaders
from vision_agent.server.ingress.termination import Termination
from vision_agent.server.malloc_trim import Collector, freeze_objects, trimming
from vision_agent.server.options import (
    admission_limits,
    agent_options,
    call_settings,
    identification,
    signalling_options,
)
from vision_agent.server.receiving import Receiving
from vision_agent.server.reception import Reception
from vision_agent.server.signalling import signalling_router
from vision_agent.server.whip import WHIP_HEADERS, whip_router
from vision_agent.settings import Settings
from vision_agent.version import __version__


class _Application(FastAPI):
    """FastAPI with middleware around everything, its own error responses included."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = self._settings.root_path
        if prefix and f"{scope.get('path', '')}/".startswith(f"{prefix}/"):
            # A proxy that does not strip the prefix; routes are matched behind it.
            scope = {**scope, "root_path": scope.get("root_path", "") + prefix}
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        settings = self._settings
        hosts = Hosts(
            settings.host, settings.allowed_hosts, settings.cors_origins, socket.gethostname()
        )
        app: ASGIApp = KnownHosts(super().build_middleware_stack(), hosts)
        app = RealCaller(app, Proxies(settings.trusted_proxies))
        return SecurityHeaders(BoundedBody(app), settings.frame_ancestors)


class _Page(StaticFiles):
    """The page's files.

    Their names stay the same in another version, so browsers revalidate them at every visit
    instead of mixing the modules of two versions.
    """

    def file_response(self, *args: Any, **options: Any) -> Response:
        """One file, or 304 if the browser has it."""
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(
    settings: Settings | None = None,
    *,
    agents: AgentDirectory | None = None,
    receiving: Receiving | None = None,
    identify: Identify | None = None,
) -> FastAPI:
    """The application, ready for any ASGI server.

    Args:
        settings: The options; None reads them from the environment.
        agents: The agents already made from those settings; None makes them.
        receiving: The UDP ports already made from them; None makes them.
        identify: Finds out who calls; None: by a token, a login proxy or the client.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't work.
        DatabaseError: The sessions' database can't be used.
    """
    settings = settings or Settings()
    directory = agents or AgentDirectory(agent_options(settings))
    receiving = receiving or Receiving(settings)
    metrics = Metrics()
    metrics.watch_sessions(directory.session_counts)
    metrics.watch_memory(directory.memory_counts)
    metrics.watch_local(lambda: directory.local_restarts)
    admission = Admission(admission_limits(settings))
    collector = Collector()
    registry = CallRegistry(
        call_settings(settings),
        metrics,
        admission,
        max_calls=settings.max_calls,
        on_garbage=lambda idle: collector.soon(idle=idle),
    )
    token = settings.token.get_secret_value() if settings.token else None
    access = Access(token, admission)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        raise_limit()
        rtc.install()
        async with receiving, serving():
            yield

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        await directory.start(on_taken=registry.taken_elsewhere)
        freeze_objects()
        termination = Termination(lambda: registry.drain(settings.drain_s))
        termination.install()
        try:
            with log_shortage_once(asyncio.get_running_loop()):
                async with trimming():
                    yield
        finally:
            restarting = termination.restarting
            reason = "the server is restarting" if restarting else "the server is stopping"
            await close_each(
                ("the signals", termination.remove),
                ("the calls", lambda: registry.close(reason, come_back=restarting)),
            )
            collector.close()
            await directory.close()

    lifetime = Lifetime(running)
    app = _Application(
        settings,
        title="vision_agent",
        version=__version__,
        lifespan=lifetime.lifespan,
        openapi_url=None,  # added below, for its audience
        docs_url=None,
        redoc_url=None,
    )
    app.state.registry = registry
    app.state.metrics = metrics
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "OPTIONS", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Retry-After", *WHIP_HEADERS],
        )

    tell_errors(app, metrics)

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Whether the server takes and answers calls, and how many it has; 503 if not, and why."""
        content = {"status": "ok", "calls": len(registry), "max_calls": settings.max_calls}
        lifetime.begin()
        if registry.draining:
            content["status"] = "draining"
        elif problem := lifetime.problem or directory.problem:
            content |= {"status": "unavailable", "reason": problem}
        return JSONResponse(content, 200 if content["status"] == "ok" else 503)

    async def show_metrics() -> Response:
        """The counters, in Prometheus' text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def describe() -> dict[str, Any]:
        """The description of this API (OpenAPI)."""
        return app.openapi()

    for path, show, audience in (
        ("/metrics", show_metrics, settings.metrics),
        ("/openapi.json", describe, settings.api_description),
    ):
        if audience != "off":
            only = [Depends(access)] if audience == "token" else []
            app.add_api_route(
                path, show, dependencies=only, response_model=None, include_in_schema=False
            )

    options = signalling_options(settings)
    who = identification(settings, identify)
    reception = Reception(registry, directory, options, who, admission, receiving)
    app.include_router(
        signalling_router(reception, registry, directory, options, access, admission, lifetime)
    )
    app.include_router(whip_router(reception, registry, options, access, admission, lifetime))
    # Last: it answers every other path.
    app.mount("/", _Page(directory=web_folder(), html=True), name="web")
    return app
