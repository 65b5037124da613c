"""A span exporter whose failures are logged once; imported only where spans are exported."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

logger = logging.getLogger(__name__)


class ToldOnce(SpanExporter):
    """Passes spans on to an exporter, and keeps an unreachable collector from filling the log.

    Args:
        exporter: Does the work.
        name: Its registered name, for the log.
    """

    def __init__(self, exporter: SpanExporter, name: str) -> None:
        self._exporter = exporter
        self._name = name
        self._told = False
        self._complaint = ""
        # OTLP's exporters log each attempt with the reason of its failure.
        for module in {base.__module__ for base in type(exporter).__mro__}:
            if "exporter" in module:
                logging.getLogger(module).addFilter(self._keep)
        # The processor logs each span that it drops meanwhile.
        logging.getLogger("opentelemetry.sdk").setLevel(logging.ERROR)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export some spans, in the thread of the processor."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            # Any exception concerns the spans only.
            result, self._complaint = SpanExportResult.FAILURE, repr(error)
        if result is not SpanExportResult.SUCCESS and not self._told:
            self._told = True
            logger.warning(
                "Spans were not taken by %s, and are dropped while that lasts. This is said once. "
                "%s",
                self._name,
                self._complaint,
            )
        return result

    def shutdown(self) -> None:
        """Export nothing more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Returns at once, because no spans wait here."""
        return self._exporter.force_flush(timeout_millis)

    def _keep(self, record: logging.LogRecord) -> bool:
        self._complaint = record.getMessage()
        return False
