"""The promises of a soak, and whether they were kept. Pure: observations in, a verdict out."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.soak.caller import Exchange
from tests.soak.scenario import LETTER_MS
from vision_agent.caller.utterances import Span

CUT_MS = 200
"""Sound that may be missing at the edges of an answer before it counts as cut: the caller's
measure of voice works in frames of 20 ms, and a tone fades in and out of the codec."""

DOUBLED_MS = 500
"""Sound beyond the answer's length that counts as something said twice."""

_READING = re.compile(r"It is (\d+), as you said (.+)\.")
_REPEATED = re.compile(r"You said (.+), and before that (.+)\.")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that occurred: its time in ms of the call, and the attempt to connect."""

    at_ms: int
    connection: int
    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was observed.

    Attributes:
        exchanges: The exchanges in order.
        stretches: When the agent's voice was received.
        faults: The faults in order.
        audio_dropped_ms: The server's count of the caller's dropped sound.
        reconnects: The server's count of reconnections.
        memory_bytes: Resident size of the server over time, `(ms, bytes)`.
        ended: Why the call ended before its time; None if it did not.
    """

    exchanges: Sequence[Exchange]
    stretches: Sequence[Span]
    faults: Sequence[Fault]
    audio_dropped_ms: float
    reconnects: float
    memory_bytes: Sequence[tuple[int, int]]
    ended: str | None = None


@dataclass(slots=True)
class Verdict:
    """The result of a soak.

    Attributes:
        rows: ``(what, value, promise, kept)`` for each promise.
        slow: The promises that a busy machine can break.
        complaints: A sentence for each broken promise that belongs to a time.
    """

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    slow: set[str] = field(default_factory=set)

    @property
    def broken(self) -> list[str]:
        return [what for what, *_, kept in self.rows if not kept]

    def add(
        self, what: str, value: float, promise: str, *, most: float, slow: bool = False
    ) -> None:
        self.rows.append((what, f"{value:.4g}", promise, value <= most))
        if slow:
            self.slow.add(what)


def judge(seen: Seen) -> Verdict:
    """The table of a soak."""
    verdict = Verdict()
    cut = doubled = missing = lost_text = lost_results = forgotten = 0
    before: str | None = None
    for exchange in seen.exchanges:
        where = f"{exchange.asked_ms / 1000:.1f} s ({exchange.kind} {exchange.text!r})"
        said = _said(exchange)
        if not exchange.answers:
            missing += 1
            lost_text += exchange.kind != "spoken"
            verdict.complaints.append(f"{where}: no answer. {exchange.error or ''}")
            before = said or before
            continue
        if len(exchange.answers) > 1:
            doubled += 1
            verdict.complaints.append(f"{where}: answered {exchange.answers}")
        if exchange.interruptions:
            cut += 1
            verdict.complaints.append(f"{where}: cut off {exchange.interruptions} times")
        answer = exchange.answers[-1]
        missing_ms = LETTER_MS * len(answer) - exchange.voiced_ms
        if missing_ms > CUT_MS:
            cut += 1
            verdict.complaints.append(f"{where}: {missing_ms} ms of {answer!r} not heard")
        elif missing_ms < -DOUBLED_MS:
            doubled += 1
            verdict.complaints.append(f"{where}: {-missing_ms} ms too much of {answer!r}")
        if exchange.kind == "tool":
            found = _READING.fullmatch(answer)
            readings = [str(r["reading"]) for r in exchange.results if r]
            if not found or found[2] != said or found[1] not in readings or len(readings) != 1:
                lost_results += 1
                verdict.complaints.append(f"{where}: {answer!r}, readings {readings}")
        else:
            found = _REPEATED.fullmatch(answer)
            if not found or found[1] != said:
                lost_text += 1
                verdict.complaints.append(f"{where}: {answer!r} is no answer to {said!r}")
            elif before is not None and found[2] != before:
                forgotten += 1
                verdict.complaints.append(f"{where}: {answer!r}, but before was {before!r}")
        before = said
    verdict.rows.append(("questions", str(len(seen.exchanges)), "", bool(seen.exchanges)))
    verdict.rows.append(("faults", str(len(seen.faults)), "", bool(seen.faults)))
    verdict.add("replies cut", cut, "0", most=0)
    verdict.add("answers missing", missing, "0", most=0)
    verdict.add("answers doubled", doubled, "0", most=0)
    verdict.add("tool results lost", lost_results, "0", most=0)
    verdict.add("text lost", lost_text, "0", most=0)
    verdict.add("earlier turns forgotten", forgotten, "0", most=0)
    per_reconnect_ms = seen.audio_dropped_ms / max(1.0, seen.reconnects)
    verdict.add("audio lost per reconnect, ms", per_reconnect_ms, "<= 200", most=200)
    waits = waits_after_faults(seen)
    if waits:
        percentile = sorted(waits)[min(len(waits) - 1, int(0.95 * len(waits)))]
        median = statistics.median(waits)
        verdict.rows.append(("voice after a fault, median ms", f"{median:.0f}", "", True))
        verdict.add("voice after a fault, p95 ms", percentile, "<= 2000", most=2000, slow=True)
    verdict.add("connects per second, busiest 10 s", busiest(seen.faults), "<= 2", most=2)
    verdict.add("memory grown since minute one, MiB", _grown(seen.memory_bytes), "<= 10", most=10)
    if seen.ended:
        verdict.rows.append(("the call ended", seen.ended, "not before time", False))
    return verdict


def waits_after_faults(seen: Seen) -> list[float]:
    """Milliseconds without the voice that was due, for each fault, minus injected waiting.

    A fault before the answer: from then (or from the end of the question) to its first sound. A
    fault in the answer: the longest silence in the rest of it.
    """
    injected = [(f.at_ms, f.at_ms + _injected_ms(f)) for f in seen.faults if _injected_ms(f)]
    waits = []
    for exchange, following in _spans(seen.exchanges):
        inside = [f for f in seen.faults if exchange.asked_ms - 1000 <= f.at_ms < following]
        done_ms = following if exchange.done_ms is None else exchange.done_ms
        sounds = [
            s for s in seen.stretches if exchange.asked_ms < s.end_ms and s.start_ms < done_ms
        ]
        for fault in inside:
            later = [s for s in sounds if s.end_ms > fault.at_ms]
            if not later:
                continue
            due_ms = max(fault.at_ms, exchange.asked_ms)
            begins = [due_ms, *(sound.end_ms for sound in later)]
            silences = zip(begins, (sound.start_ms for sound in later), strict=False)
            waits.append(max(_without(begin, end, injected) for begin, end in silences))
    return waits


def _without(begin: float, end: float, injected: Sequence[tuple[float, float]]) -> float:
    """The length of a silence without the waiting that was injected in it."""
    for since, until in sorted(injected):
        overlap = min(end, until) - max(begin, since)
        if overlap > 0:
            end -= overlap
    return max(0.0, end - begin)


def _spans(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, int]]:
    ends = [exchange.asked_ms for exchange in exchanges[1:]]
    return list(zip(exchanges, [*ends, 10**12], strict=False))


def _injected_ms(fault: Fault) -> float:
    if found := re.search(r"Stall\(seconds=([\d.]+)", fault.what):
        return 1000 * float(found[1])
    if found := re.search(r"SlowReads\(.*for_s=([\d.]+)", fault.what):
        return 1000 * float(found[1])
    return 0.0


def busiest(faults: Sequence[Fault], window_ms: int = 10_000) -> float:
    """The highest rate of attempts to connect in any ten seconds, by the attempts' numbers."""
    most = 0.0
    for index, first in enumerate(faults):
        for last in faults[index + 1 :]:
            span_ms = max(window_ms, last.at_ms - first.at_ms)
            most = max(most, 1000 * (last.connection - first.connection) / span_ms)
    return most


def _said(exchange: Exchange) -> str | None:
    if exchange.kind != "spoken":
        return exchange.text
    return exchange.understood[-1] if exchange.understood else None


def _grown(memory: Sequence[tuple[int, int]]) -> float:
    after = [size for at_ms, size in memory if at_ms >= 60_000]
    if len(after) < 2:
        return 0.0
    # Medians of several samples: a single one may include the memory of an answer.
    return (statistics.median(after[-5:]) - statistics.median(after[:5])) / 2**20
