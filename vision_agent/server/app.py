"""The whole server as one application: a `VideoAgent` in a FastAPI application of its own."""

from __future__ import annotations

from fastapi import FastAPI

from vision_agent.server.identification import Identify
from vision_agent.server.ingress.errors import tell_errors
from vision_agent.server.tracing import NO_REQUESTS
from vision_agent.server.video_agent import VideoAgent
from vision_agent.settings import Settings
from vision_agent.version import __version__


def create_app(settings: Settings | None = None, *, identify: Identify | None = None) -> FastAPI:
    """The application, ready for any ASGI server, for a process that does nothing else.

    Args:
        settings: The options; None reads them from the environment.
        identify: Finds out who calls; see `VideoAgent`.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't work.
        DatabaseError: The sessions' database can't be used.
        TypeError: An argument is of another type.
    """
    return app_of(VideoAgent(settings, identify=identify, own_process=True))


def app_of(video: VideoAgent) -> FastAPI:
    """An application that serves nothing but the agent."""
    app = FastAPI(
        title="vision_agent",
        version=__version__,
        lifespan=video.lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_REQUESTS,
    )
    tell_errors(app, video.metrics)
    app.include_router(video.router)
    app.state.registry = video.registry
    app.state.metrics = video.metrics
    return app
