"""Health and metrics, for operators and their monitoring. Neither names a caller."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vision_agent.agents.directory import AgentDirectory
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.registry import CallRegistry
from vision_agent.server.ingress.access import Access
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.settings import Audience, Settings


def observation_router(
    settings: Settings,
    access: Access,
    lifetime: Lifetime,
    registry: CallRegistry,
    agents: AgentDirectory,
    metrics: Metrics,
) -> APIRouter:
    """The routes `/healthz` and `/metrics`, each for its audience.

    Args:
        settings: The options.
        access: Checks the access token.
        lifetime: Starts what calls need.
        registry: The calls.
        agents: The agents.
        metrics: The server's counters.
    """
    router = APIRouter()

    async def health() -> JSONResponse:
        """Whether the server takes and answers calls, and how many it has; 503 if not, and why."""
        content = {"status": "ok", "calls": len(registry), "max_calls": settings.max_calls}
        lifetime.begin()
        if registry.draining:
            content["status"] = "draining"
        elif problem := lifetime.problem or agents.problem:
            content |= {"status": "unavailable", "reason": problem}
        return JSONResponse(content, 200 if content["status"] == "ok" else 503)

    async def show_metrics() -> Response:
        """The counters, in Prometheus' text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    for path, show, audience in (
        ("/healthz", health, settings.health),
        ("/metrics", show_metrics, settings.metrics),
    ):
        if audience != "off":
            router.add_api_route(
                path,
                show,
                dependencies=only_for(audience, access),
                response_model=None,
                include_in_schema=show is health,
            )
    return router


def only_for(audience: Audience, access: Access) -> list[Any]:
    """The dependencies of a route for an audience that is not `off`."""
    return [Depends(access.operator)] if audience == "token" else []
