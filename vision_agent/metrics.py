"""What the server counts, for Prometheus. One registry per app: a process may hold several."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Counters and gauges under `vision_agent_`; units stand in the names."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Gauge("vision_agent_calls", "Calls in progress.", registry=self.registry)
        self.model_sessions = Gauge(
            "vision_agent_model_sessions", "Open live sessions.", registry=self.registry
        )
        tasks = Gauge("vision_agent_tasks", "Asyncio tasks alive.", registry=self.registry)
        tasks.set_function(lambda: len(asyncio.all_tasks()))
        self.calls_ended = self._counter("calls_ended", "Calls that have ended.")
        self.offers_refused = self._counter("offers_refused", "Offers refused.", "status")
        self.pictures = self._counter("pictures", "Pictures sent to the model.")
        self.pictures_replaced = self._counter(
            "pictures_replaced", "Pictures a newer one replaced before the model took them."
        )
        self.audio_ms = self._counter("audio_ms", "Caller's audio queued for the model.")
        self.audio_dropped_ms = self._counter(
            "audio_dropped_ms", "Caller's audio dropped because the model was too slow."
        )
        self.model_reconnects = self._counter(
            "model_reconnects", "Connections to the model that were lost and made again."
        )
        self.interruptions = self._counter("interruptions", "Answers the caller spoke over.")
        self.tokens = self._counter("tokens", "Tokens the service counted.", "direction")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"vision_agent_{name}", text, labels, registry=self.registry)
