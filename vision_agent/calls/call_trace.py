"""The durations in a call: histograms, and the spans of one trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from vision_agent.calls.metrics import Metrics
from vision_agent.calls.server_messages import State
from vision_agent.calls.turn_timing import Asked, TimedTurn, TurnTiming
from vision_agent.version import __version__

Attributes = Mapping[str, str | bool | int | float]

_NS_PER_S = 1_000_000_000


class CallTrace:
    """The trace of one call: a span `call` that contains one for each thing that takes a while.

    Each method reports what happens now. Without a tracer provider, spans cost nothing and go
    nowhere. Spans contain no words of the conversation.

    Args:
        metrics: The server's histograms.
        began_s: When the offer arrived; monotonic.
        attributes: Of the whole call.
        on_turn: Called with each answer that is over.
    """

    def __init__(
        self,
        metrics: Metrics,
        began_s: float,
        attributes: Attributes,
        on_turn: Callable[[TimedTurn], None] = lambda turn: None,
    ) -> None:
        self._metrics = metrics
        self._on_turn = on_turn
        self._timing = TurnTiming()
        self._state: State = "connecting"
        self._epoch_ns = time.time_ns() - round(time.monotonic() * _NS_PER_S)
        self._tracer = trace.get_tracer("vision_agent", __version__)
        self._open: dict[str, tuple[float, Attributes]] = {"offer": (began_s, {})}
        # A trace of its own, however the request that began it is traced: it outlives that.
        request = trace.get_current_span().get_span_context()
        self._call = self._tracer.start_span(
            "call",
            context.Context(),
            kind=SpanKind.SERVER,
            links=[trace.Link(request)] if request.is_valid else [],
            start_time=self._ns(began_s),
            attributes=attributes,
        )

    def enter(self) -> None:
        """The spans of the present task, and of every task it starts, join this call's trace."""
        context.attach(trace.set_span_in_context(self._call))

    def begin(self, name: str, attributes: Attributes | None = None) -> None:
        """Something begins, such as a connection being made."""
        self._open.setdefault(name, (time.monotonic(), attributes or {}))

    def done(self, *names: str) -> None:
        """Mark those of these spans that have begun as successful."""
        for name in names:
            if began := self._open.pop(name, None):
                self._span(name, began[0], time.monotonic(), began[1])

    def failed(self, kind: str) -> None:
        """The model's side has failed, and ends the call."""
        self._call.set_status(Status(StatusCode.ERROR, kind))
        self._call.set_attribute("error.type", kind)

    def end(self, reason: str) -> None:
        """The call is over.

        Args:
            reason: Why, in words.
        """
        now_s = time.monotonic()
        self._record(self._timing.over(now_s))
        for name, (began_s, attributes) in self._open.items():
            self._span(name, began_s, now_s, attributes, error=reason)
        self._open.clear()
        self._call.set_attribute("vision_agent.end.reason", reason)
        self._call.end()

    # The caller

    def voice_began(self, at_s: float) -> None:
        """The caller makes a sound."""
        self._timing.voice_began(at_s)

    def asked(self, how: Asked, at_s: float) -> None:
        """The caller has said or typed something."""
        self._timing.asked(how, at_s)

    def frame_seen(self, captured_at_s: float) -> None:
        """The newest frame that the model has seen of what the last question is about."""
        self._timing.frame_seen(captured_at_s)

    def state(self, state: State) -> None:
        """The state that the call is in now."""
        if self._state == "thinking" and state == "listening":
            self._timing.nothing_came()
        self._state = state

    # The agent

    def opened(self) -> None:
        """The model begins an answer."""
        self._record(self._timing.opened(time.monotonic()))

    def sounding(self, sounds: bool) -> None:
        """The agent is heard from now on, or not any more."""
        if sounds:
            self._timing.sounds(time.monotonic())
        else:
            self._record(self._timing.silent(time.monotonic()))

    def paused(self) -> None:
        """Playback waits, because the caller seems to cut in."""
        self._timing.paused(time.monotonic())

    def resumed(self) -> None:
        """Playback goes on: the caller did not cut in."""
        self._timing.resumed()

    def interrupted(self) -> None:
        """The model says that the caller has cut in; called before playback is cleared."""
        self._record(self._timing.interrupted(time.monotonic()))

    def complete(self, *, sound_waits: bool) -> None:
        """The model has finished its turn; there may be sound of it that has yet to be played."""
        self._record(self._timing.complete(time.monotonic(), sound_waits=sound_waits))

    def _record(self, turn: TimedTurn | None) -> None:
        if turn is None:
            return
        self._on_turn(turn)
        attributes: dict[str, str | bool | int | float] = {
            "vision_agent.turn.interrupted": turn.silent_at_s is not None
        }
        how = turn.question.how if turn.question else "by itself"
        for name, histogram, label, value in (
            ("first_sound", self._metrics.first_sound, how, turn.first_sound_s),
            ("frame_age", self._metrics.frame_age, how, turn.frame_age_s),
            ("interruption", self._metrics.interruption, turn.cut_in_by, turn.interruption_s),
        ):
            if value is not None:
                histogram.labels(label).observe(value)
                attributes[f"vision_agent.turn.{name}_s"] = value
        attributes["vision_agent.turn.asked"] = how
        self._span("turn", turn.began_at_s, turn.ended_at_s, attributes)

    def _span(
        self, name: str, began_s: float, ended_s: float, attributes: Attributes, error: str = ""
    ) -> None:
        if not self._call.is_recording():
            return
        span: Span = self._tracer.start_span(
            name,
            trace.set_span_in_context(self._call),
            start_time=self._ns(began_s),
            attributes=attributes,
        )
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(self._ns(ended_s))

    def _ns(self, at_s: float) -> int:
        return self._epoch_ns + round(at_s * _NS_PER_S)
