"""Exports OpenTelemetry's spans if the usual `OTEL_…` variables ask for it.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ names them. If the
application has a tracer provider of its own, that one is used, and nothing is set up here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from opentelemetry import trace

from vision_agent.version import __version__

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import TracerProvider

logger = logging.getLogger(__name__)

FLUSH_S = 1.0
"""How long the end of the server waits for the export of the last spans."""

NO_REQUESTS: TelemetryConfig = {"tracing": False}
"""For our FastAPI applications: no spans of FastAPI's for each request, each file and each scrape.

An application that includes ours traces its requests as it likes; a call's trace links to them.
"""

_OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""The names under which the exporters are registered, by `OTEL_EXPORTER_OTLP_PROTOCOL`."""

_MISSING = (
    "OpenTelemetry's variables ask for the exporter %r, which is not installed: no spans are "
    "exported. pip install 'adk-video-call[otel]' installs OTLP's."
)


class TracingError(ValueError):
    """The variables ask for an impossible export; the text says why."""


def wanted(environ: Mapping[str, str]) -> list[str]:
    """The exporters that the environment asks for, by their registered names; mostly none.

    Raises:
        TracingError: There is no such protocol.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    endpoints = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    default = "otlp" if any(environ.get(name) for name in endpoints) else "none"
    named = environ.get("OTEL_TRACES_EXPORTER", "").strip() or default
    names = [name.strip() for name in named.split(",")]
    return [_registered(name, environ) for name in names if name not in ("", "none")]


def _registered(name: str, environ: Mapping[str, str]) -> str:
    if name != "otlp":
        return name
    variables = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next(filter(None, (environ.get(name) for name in variables)), "http/protobuf")
    try:
        return _OTLP[protocol]
    except KeyError:
        raise TracingError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; there are {' and '.join(_OTLP)}."
        ) from None


_own: TracerProvider | None = None
"""The provider that was set up here. A process sets its provider once, and may serve several
times."""


@asynccontextmanager
async def exported_traces() -> AsyncIterator[None]:
    """Export spans within the context, if the environment asks for it."""
    global _own
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        _own = _set_up(os.environ)
    try:
        yield
    finally:
        if _own is not None:
            await _flush(_own)


def _set_up(environ: Mapping[str, str]) -> TracerProvider | None:
    try:
        exporters = wanted(environ)
        return _new_provider(exporters) if exporters else None
    except Exception as error:
        # A mistake in a variable costs the traces, but no call.
        logger.warning("No spans are exported: %s", error)
        return None


def _new_provider(exporters: Sequence[str]) -> TracerProvider | None:
    # Imported only here: without the variables nothing of the SDK is loaded.
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from vision_agent.server.told_once import ToldOnce

    found = []
    for name in exporters:
        (entry, *_) = (*entry_points(group="opentelemetry_traces_exporter", name=name), None)
        if entry is None:
            logger.warning(_MISSING, name)
        else:
            found.append(ToldOnce(entry.load()(), name))
    if not found:
        return None
    resource = Resource.create()
    own = {"service.version": __version__}
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        own[SERVICE_NAME] = "vision-agent"
    # Its own shutdown would wait for an exporter that does not answer; `_flush` does not.
    provider = TracerProvider(resource=resource.merge(Resource(own)), shutdown_on_exit=False)
    for exporter in found:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


async def _flush(provider: TracerProvider) -> None:
    # A daemon, because the processor's own time limit has no effect, and no thread of a pool may
    # remain when the process ends.
    thread = threading.Thread(target=provider.force_flush, name="last spans", daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, FLUSH_S)
