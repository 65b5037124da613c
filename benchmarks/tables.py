"""The comparison as tables for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.table import Table
from rows import Row
from targets import Measure, Rounds, Verdict


def cost_table(rows: Sequence[Row], rounds: Rounds) -> Table:
    """What each row cost: medians over the rounds."""
    table = _table(
        "What it costs",
        "row", "calls", "CPU %\nserver", "least-\nmost", "CPU %\na call", "CPU %\nchildren",
        "MB\nidle", "MB\na call", "video in\nkbps", "CPU %\ncallers", "CPU %\nothers",
    )  # fmt: skip
    for row in rows:
        measured = _of(row, rounds)
        if not measured:
            table.add_row(row.title, str(row.calls), "failed")
            continue
        cpu = [m["cpu_pct"] for m in measured]
        children_pct = _median(measured, "children_cpu_pct")
        children_mb = _median(measured, "children_idle_mb")
        memory = f"{_median(measured, 'idle_mb'):.0f}"
        table.add_row(
            row.title,
            str(row.calls),
            f"{statistics.median(cpu):.1f}",
            f"{min(cpu):.1f}-{max(cpu):.1f}",
            f"{_median(measured, 'per_call_pct'):.1f}",
            f"{children_pct:.1f}" if children_mb else "",
            f"{memory} + {children_mb:.0f}" if children_mb else memory,
            f"{_median(measured, 'mb_per_call'):.1f}",
            f"{_median(measured, 'video_kbps'):.0f}",
            f"{_median(measured, 'callers_cpu_pct'):.0f}",
            f"{_median(measured, 'others_cpu_pct'):.0f}",
        )
    return table


def speed_table(rows: Sequence[Row], rounds: Rounds) -> Table:
    """How fast each row was: median / 95th percentile over all rounds, in ms."""
    table = _table(
        "How fast it is (ms: median / 95th percentile)",
        "row", "calls", "connect", "reply", "flush", "stale", "echo", "gap p99", "gap worst",
    )  # fmt: skip
    for row in rows:
        measured = _of(row, rounds)
        if not measured:
            continue
        table.add_row(
            row.title,
            str(row.calls),
            _latency(measured, "connected_ms"),
            _latency(measured, "reply_ms"),
            _latency(measured, "flush_ms"),
            str(sum(m["stale"] for m in measured) or ""),
            _latency(measured, "echo_ms"),
            f"{_median(measured, 'gap_p99_ms'):.0f}",
            f"{_median(measured, 'gap_worst_ms'):.0f}",
        )
    return table


def targets_table(verdicts: Sequence[Verdict]) -> Table:
    """Promises and figures side by side."""
    title = "What is promised, and what was measured"
    table = _table(title, "", "promised", "measured", "each round", "")
    words = {True: "[green]kept[/]", False: "[red]broken[/]", None: ""}
    for v in verdicts:
        table.add_row(
            v.promise,
            "" if v.bound is None else f"≤ {v.bound:g}{_unit(v)}",
            "not measured" if v.figure is None else f"{v.figure:.2f}{_unit(v)}",
            " ".join(f"{figure:.2f}" for figure in v.rounds),
            words[v.met],
        )
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def _of(row: Row, rounds: Rounds) -> list[Measure]:
    return [measure for measures in rounds for measure in measures if measure["row"] == row.name]


def _median(measured: Sequence[Measure], name: str) -> float:
    return statistics.median(measure[name] for measure in measured)


def _unit(verdict: Verdict) -> str:
    return " x" if verdict.unit == "ratio" else f" {verdict.unit}"


def _latency(measured: Sequence[Measure], name: str) -> str:
    values = sorted(x for m in measured for x in m.get(name, []))
    if not values:
        return ""
    p95 = values[min(len(values) - 1, int(len(values) * 0.95))]
    return f"{statistics.median(values):.0f} / {p95:.0f}"
