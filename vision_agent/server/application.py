"""The application behind a `VideoAgent`: signalling, the page, health and metrics."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from vision_agent.addresses import Proxies, RealCaller
from vision_agent.agents.directory import AgentDirectory
from vision_agent.calls.admission import Admission
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.registry import CallRegistry
from vision_agent.resources import web_folder
from vision_agent.server.call_tokens import CallTokens
from vision_agent.server.identification import Identify
from vision_agent.server.ingress.access import Access
from vision_agent.server.ingress.body import BoundedBody
from vision_agent.server.ingress.errors import tell_errors
from vision_agent.server.ingress.hosts import Hosts, KnownHosts
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.prefix import ShownUnder
from vision_agent.server.ingress.security_headers import SecurityHeaders
from vision_agent.server.observation import observation_router, only_for
from vision_agent.server.options import identification, signalling_options, token_continues_s
from vision_agent.server.page_files import PageFiles
from vision_agent.server.receiving import Receiving
from vision_agent.server.reception import Reception
from vision_agent.server.signalling import signalling_router
from vision_agent.server.token_route import token_router
from vision_agent.server.token_uses import TokenUses
from vision_agent.server.tracing import NO_REQUESTS
from vision_agent.server.whip import WHIP_HEADERS, whip_router
from vision_agent.settings import Settings
from vision_agent.version import __version__

if TYPE_CHECKING:
    from vision_agent.live.sessions.shared_counts import SharedCounts


class _Application(FastAPI):
    """FastAPI with middleware around everything, its own error responses included."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    def build_middleware_stack(self) -> ASGIApp:
        settings = self._settings
        hosts = Hosts(
            settings.host, settings.allowed_hosts, settings.cors_origins, socket.gethostname()
        )
        proxies = Proxies(settings.trusted_proxies)
        app: ASGIApp = KnownHosts(super().build_middleware_stack(), hosts)
        app = ShownUnder(RealCaller(app, proxies), settings.root_path, proxies)
        return SecurityHeaders(BoundedBody(app), settings.frame_ancestors)


def _new_application(settings: Settings) -> _Application:
    return _Application(
        settings,
        title="vision_agent",
        version=__version__,
        openapi_url=None,  # served by a route of its own, for its audience
        docs_url=None,
        redoc_url=None,
        telemetry=NO_REQUESTS,
    )


def make_application(
    settings: Settings,
    *,
    identify: Identify | None,
    agents: AgentDirectory,
    registry: CallRegistry,
    receiving: Receiving,
    admission: Admission,
    counts: SharedCounts | None,
    metrics: Metrics,
    lifetime: Lifetime,
) -> tuple[FastAPI, FastAPI | None]:
    """The application, and that of the operators' port if there is one; both without a lifespan.

    Args:
        settings: The options.
        identify: Finds out who calls; None: by a token, a login proxy or the client.
        agents: The agents that can be called.
        registry: The calls.
        receiving: The ports and addresses of calls' media.
        admission: Bounds how often one address, one call and one conversation may ask.
        counts: Counts the uses of tokens for all servers; None if each counts for itself.
        metrics: The server's counters.
        lifetime: Starts what requests wait for.
    """
    secret = settings.token.get_secret_value() if settings.token else None
    continues_s = token_continues_s(settings)
    tokens = CallTokens(secret, continues_s=continues_s) if secret else None
    uses = TokenUses(continues_s, counts)
    access = Access(secret, tokens, uses, admission)
    app = _new_application(settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "OPTIONS", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Retry-After", *WHIP_HEADERS],
        )

    tell_errors(app, metrics)

    async def describe() -> dict[str, Any]:
        """The description of this API (OpenAPI)."""
        return app.openapi()

    operators = None
    if settings.operator_port is not None:
        operators = _new_application(settings.model_copy(update={"host": settings.operator_host}))
        tell_errors(operators, metrics)
    observed = operators or app
    observed.routes.extend(
        observation_router(settings, access, lifetime, registry, agents, metrics).routes
    )
    if settings.api_description != "off":
        app.add_api_route(
            "/openapi.json",
            describe,
            dependencies=only_for(settings.api_description, access),
            response_model=None,
            include_in_schema=False,
        )

    options = signalling_options(settings)
    who = identification(settings, identify)
    reception = Reception(registry, agents, options, who, uses, admission, receiving)
    for router in (
        signalling_router(reception, registry, agents, options, access, admission, lifetime),
        token_router(tokens, reception, access, lifetime),
        whip_router(reception, registry, options, access, admission, lifetime),
    ):
        # Not included: FastAPI would make every route once more, in the first request.
        app.routes.extend(router.routes)
    # Last: it answers every other path.
    app.mount("/", PageFiles(web_folder()), name="web")
    return app, operators
