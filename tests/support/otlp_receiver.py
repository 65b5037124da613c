"""A receiver of OpenTelemetry's spans on loopback, over HTTP or gRPC."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Received:
    """The received spans.

    Attributes:
        environment: The variables that make a process export to the receiver.
        raw: All received bytes.
        services: The spans' service names.
        spans: All spans.
    """

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.raw = b""
        self.services: set[str] = set()
        self.spans: list[Span] = []

    def take(self, request: ExportTraceServiceRequest) -> None:
        self.raw += request.SerializeToString()
        for resource in request.resource_spans:
            self.services |= {
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def attributes(self, span: Span) -> dict[str, Any]:
        found = {}
        for attribute in span.attributes:
            kind = attribute.value.WhichOneof("value")
            found[attribute.key] = getattr(attribute.value, kind)
        return found


@contextmanager
def http_receiver() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                received.take(ExportTraceServiceRequest.FromString(body))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def grpc_receiver() -> Iterator[Received]:
    # Imported late: gRPC starts threads, which would not survive the fork of a worker.
    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

    received = Received()

    class Servicer(service.TraceServiceServicer):
        def Export(self, request: ExportTraceServiceRequest, context: object) -> object:
            received.take(request)
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    received.environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    server.start()
    try:
        yield received
    finally:
        server.stop(0).wait()
