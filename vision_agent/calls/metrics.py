"""The server's Prometheus metrics. One registry per app: a process may hold several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vision_agent.calls.turn_timing import Asked
from vision_agent.live.errors import FAILURE_KINDS
from vision_agent.recordings.call_files import Failure
from vision_agent.rtc import failures, overload

MAX_MODELS = 100
"""Models, times modalities, with counters of their own; those after them are `other`."""

WAITS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0)
AGES_S = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
SILENCES_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


class Metrics:
    """Counters, gauges and histograms, named `vision_agent_…`, with units in their names."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Gauge("vision_agent_calls", "Calls in progress.", registry=self.registry)
        self.max_calls = Gauge(
            "vision_agent_max_calls", "Calls there may be at once.", registry=self.registry
        )
        self.model_sessions = Gauge(
            "vision_agent_model_sessions", "Open live sessions.", registry=self.registry
        )
        tasks = Gauge("vision_agent_tasks", "Asyncio tasks alive.", registry=self.registry)
        tasks.set_function(lambda: len(asyncio.all_tasks()))
        self._shown(
            "rtc_failures",
            "Failures of packets, timers and tasks in the WebRTC stack.",
            failures.counts.total,
        )
        self._shown(
            "datagrams_dropped",
            "Datagrams of strangers, malformed ones, and those a full queue had no room for.",
            lambda: failures.dropped_datagrams,
        )
        self._shown(
            "datagrams_late",
            "Callers' packets of media dropped because more came than could be handled.",
            lambda: overload.current.dropped,
        )
        self.calls_ended = self._counter("calls_ended", "Calls that have ended.")
        self.calls_resumed = self._counter("calls_resumed", "Conversations that were continued.")
        self.calls_unheard = self._counter(
            "calls_unheard", "Calls whose offer takes no sound: the agent's voice reaches nobody."
        )
        self.offers_refused = self._counter("offers_refused", "Offers refused.", "status")
        _begin(self.offers_refused, "429", "503")
        self.frames = self._counter("frames", "Frames sent to the model.")
        self.frames_replaced = self._counter(
            "frames_replaced", "Frames a newer one replaced before the model took them."
        )
        self.frames_skipped = self._counter(
            "frames_skipped", "Due frames that showed nothing new and were not sent."
        )
        self.frames_refused = self._counter(
            "frames_refused", "Frames that were not decoded because of their size."
        )
        self.tokens_saved = self._counter(
            "tokens_saved", "Tokens that the skipped frames would have cost."
        )
        self.close_looks = self._counter("close_looks", "Pictures in tool results.")
        self.texts = self._counter("texts", "Texts queued for the model: typed, and notices.")
        self.tool_results = self._counter("tool_results", "Tool results queued for the model.")
        self.audio_ms = self._counter("audio_ms", "Caller's audio queued for the model.")
        self.audio_dropped_ms = self._counter(
            "audio_dropped_ms", "Caller's audio dropped because the model was too slow."
        )
        self.model_reconnects = self._counter(
            "model_reconnects", "Connections to the model that were lost and made again."
        )
        self.interruptions = self._counter("interruptions", "Answers the caller spoke over.")
        self.false_starts = self._counter(
            "false_starts", "Times the agent fell silent for a caller who did not cut in."
        )
        self.messages = self._counter(
            "messages",
            "Messages of the data channel: of the client's refused, to the client lost.",
            "fate",
        )
        _begin(self.messages, "refused", "lost")
        self.memory_failures = self._counter(
            "memory_failures", "Times that the memory service did not take what was said."
        )
        self.recordings = Gauge(
            "vision_agent_recordings", "Calls that are being recorded.", registry=self.registry
        )
        self.recording_bytes = self._counter("recording_bytes", "Bytes of recordings written.")
        self.recording_dropped = self._counter(
            "recording_dropped", "Packets and frames not recorded because the disk was too slow."
        )
        self.recording_failures = self._counter(
            "recording_failures",
            "Recordings that ended before their call: for a full disk, another failure of it, the "
            "largest size or length, or anything else.",
            "kind",
        )
        _begin(self.recording_failures, *get_args(Failure))
        self.model_failures = self._counter(
            "model_failures",
            "What failed on the model's side: calls ended by it, and toolsets that did not load.",
            "kind",
        )
        _begin(self.model_failures, *FAILURE_KINDS, "toolset")
        self.tokens = self._counter("tokens", "Tokens the service counted.", "direction")
        _begin(self.tokens, "in", "out")
        self.model_tokens = self._counter(
            "model_tokens",
            "The same by model, kind (prompt, tool, response, thoughts) and modality.",
            "model",
            "kind",
            "modality",
        )
        self.first_sound = self._histogram(
            "first_sound_seconds",
            "From the end of a question to the first sound of its answer.",
            WAITS_S,
        )
        self.frame_age = self._histogram(
            "frame_age_seconds",
            "How much older than the question the newest camera frame is that the model has seen.",
            AGES_S,
        )
        self.interruption = self._histogram(
            "interruption_seconds",
            "From the caller's first sound, or their text, to the agent's silence.",
            SILENCES_S,
        )
        self._models: set[tuple[str, str]] = set()
        self.estimated_cost = self._counter(
            "estimated_cost", "Estimate of what they cost, by list prices.", "currency"
        )
        self.unpriced_tokens = self._counter(
            "unpriced_tokens", "Tokens without a known price: not part of the estimate."
        )

    def count_tokens(self, model: str, kind: str, modality: str, count: int) -> None:
        """Count tokens of a model whose service names it, and the modality, as it likes."""
        if (model, modality) not in self._models:
            if len(self._models) >= MAX_MODELS:
                model = modality = "other"
            self._models.add((model, modality))
        self.model_tokens.labels(model, kind, modality).inc(count)

    def watch_local(self, restarts: Callable[[], int]) -> None:
        """Export how often the local Live API was restarted; read at every scrape."""
        Gauge(
            "vision_agent_local_restarts",
            "Times the local Live API has ended by itself and was started again.",
            registry=self.registry,
        ).set_function(restarts)

    def watch_sessions(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Export what became of the conversations' events; read at every scrape.

        Args:
            counts: Events ``written``, ``waiting`` and ``dropped``, and ``errors`` of the database.
        """
        self._counted(
            "vision_agent_session_events",
            "Events of conversations: written, waiting, dropped; and errors of their database.",
            counts,
        )

    def watch_memory(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Export what became of the lines to be remembered; read at every scrape.

        Args:
            counts: Lines ``written``, ``waiting`` and ``dropped``, and ``errors`` of the file.
        """
        self._counted(
            "vision_agent_memory_lines",
            "Lines to be remembered: written, waiting, dropped; and errors of their file.",
            counts,
        )

    def watch_events(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Export what became of the events for the program around; read at every scrape.

        Args:
            counts: Events ``told``, ``waiting``, ``dropped``, and those whose listener ``failed``.
        """
        self._counted(
            "vision_agent_events",
            "Events for on_event: told, waiting, dropped; and those that made it fail.",
            counts,
        )

    def _counted(self, name: str, text: str, counts: Callable[[], Mapping[str, int]]) -> None:
        """Export counts by their state, read at every scrape."""
        gauge = Gauge(name, text, ["state"], registry=self.registry)
        for state in counts():
            gauge.labels(state).set_function(partial(lambda state: counts()[state], state))

    def _shown(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Export a figure of the whole process, read at every scrape."""
        Gauge(f"vision_agent_{name}", text, registry=self.registry).set_function(value)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"vision_agent_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """A figure of each turn, by how the caller asked or cut in: `spoken` or `typed`."""
        name = f"vision_agent_{name}"
        made = Histogram(name, text, ["asked"], buckets=buckets, registry=self.registry)
        _begin(made, *get_args(Asked))
        return made


class Tally:
    """Adds the growth of totals that are kept elsewhere to counters."""

    def __init__(self) -> None:
        self._counted: dict[Counter, int] = {}

    def add(self, counter: Counter, total: int) -> None:
        """Add what a total has grown by since the last time; it never shrinks."""
        counter.inc(total - self._counted.get(counter, 0))
        self._counted[counter] = total


def _begin(metric: Counter | Histogram, *labels: str) -> None:
    """Export these labels from the start: an increase is seen only where a 0 was before it."""
    for label in labels:
        metric.labels(label)
