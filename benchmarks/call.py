"""What a call costs and how fast it is, beside bare aiortc and FastRTC, in one run.

    python benchmarks/call.py --fastrtc-python <python with fastrtc>     the whole comparison
    python benchmarks/call.py --seconds 10 --rounds 1                    a short look
    python benchmarks/call.py --only media30,floor30                     some rows

Every round measures every row once, each with a new server, so that a busy machine affects all rows
alike. Ratios are taken within a round, and medians over the rounds. benchmarks/README.md says
what the rows are and how to read the columns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from processes import BenchmarkFailed, Caller, Server, Usage, machine_busy_s
from rich.console import Console
from rows import HERE, RECORDINGS, Row, all_rows
from tables import cost_table, speed_table, targets_table
from targets import judge

from vision_agent.caller.received_audio import write_wav
from vision_agent.caller.recording import resample
from vision_agent.local import speak_question

SETTLE_S = 3.0  # bitrates settle, caches fill, the caller's lead-in passes

Measure = dict[str, Any]


async def measure(row: Row, seconds: float) -> Measure:
    """Start the row's server, call it, and return what that cost and how fast it was."""
    async with Server(row.command, row.ready_path) as server:
        await asyncio.sleep(1)
        idle = server.usage()
        callers: list[Caller] = []
        try:
            connected_ms = []
            for _ in range(row.calls):
                caller, ms = await Caller.dial(caller_arguments(row, server.url))
                callers.append(caller)
                connected_ms.append(ms)
            await asyncio.sleep(SETTLE_S)
            before, busy_s = server.usage(), machine_busy_s()
            callers_s = sum(caller.cpu_s() for caller in callers)
            await asyncio.sleep(seconds)
            after, busy_s = server.usage(), machine_busy_s() - busy_s
            callers_s = sum(caller.cpu_s() for caller in callers) - callers_s
            figures = [await caller.figures(60) for caller in callers]
        finally:
            for caller in callers:
                await caller.stop()
    return summary(row, idle, before, after, busy_s, callers_s, connected_ms, figures) | {
        "boot_s": server.boot_s
    }


def caller_arguments(row: Row, url: str) -> list[str]:
    """Return the command line of a caller that calls until it is told to hang up."""
    return [
        f"--url={url}{row.offer_path}",
        f"--fps={row.fps}",
        f"--job={row.job}",
        f"--burst-every={row.burst_every_s}",
        f"--video={RECORDINGS / 'bottle.mp4'}",
        *([f"--say={row.say}"] if row.say else []),
    ]


def summary(
    row: Row,
    idle: Usage,
    before: Usage,
    after: Usage,
    busy_s: float,
    callers_s: float,
    connected_ms: list[float],
    figures: list[Measure],
) -> Measure:
    """Combine two readings of the processes and the callers' figures to one round of a row."""
    took_s = after.at_s - before.at_s
    own_s = after.own_cpu_s - before.own_cpu_s
    children_s = after.children_cpu_s - before.children_cpu_s
    latencies: dict[str, list[float]] = defaultdict(list)
    for one in figures:
        for name in ("reply_ms", "flush_ms", "echo_ms"):
            latencies[name] += one.get(name, [])
    return {
        "row": row.name,
        "calls": row.calls,
        "cpu_pct": 100 * own_s / took_s,
        "children_cpu_pct": 100 * children_s / took_s,
        "per_call_pct": 100 * (own_s + children_s) / took_s / row.calls,
        "callers_cpu_pct": 100 * callers_s / took_s,
        "others_cpu_pct": max(0.0, 100 * (busy_s - own_s - children_s - callers_s) / took_s),
        "idle_mb": idle.own_rss_mb,
        "children_idle_mb": idle.children_rss_mb,
        "mb_per_call": (after.own_rss_mb - idle.own_rss_mb) / row.calls,
        "children_mb_per_call": (after.children_rss_mb - idle.children_rss_mb) / row.calls,
        "connected_ms": connected_ms,
        **latencies,
        "stale": sum(one.get("stale", 0) for one in figures),
        "gap_p99_ms": max(one["gap_ms"][1] for one in figures),
        "gap_worst_ms": max(one["gap_ms"][2] for one in figures),
        "video_fps": statistics.median(one["video_fps_out"] for one in figures),
        "video_kbps": statistics.median(one["video_kbps_out"] for one in figures),
    }


async def run(
    rows: list[Row], rounds: int, seconds: float, console: Console
) -> list[list[Measure]]:
    """Measure every row once per round; a row that fails is reported and left out of its round."""
    done: list[list[Measure]] = []
    for number in range(rounds):
        done.append([])
        for row in rows:
            with console.status(f"round {number + 1} of {rounds}: {row.title}"):
                try:
                    done[-1].append(await measure(row, seconds))
                except BenchmarkFailed as error:
                    console.print(f"[red]{row.title}: {error}[/]", markup=True, highlight=False)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="measured in each row and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--calls", type=int, default=4, help="calls at the same time, in the N rows"
    )
    parser.add_argument("--fastrtc-python", help="a Python that has fastrtc installed")
    parser.add_argument("--ask", default="what do you see?", help="what the product is asked")
    parser.add_argument("--only", help="names of rows, comma-separated")
    parser.add_argument("--json", type=Path, default=HERE.parent / "out" / "call.json")
    args = parser.parse_args()

    # A file has no width of its own, and the tables need more than 80 columns.
    console = Console(width=None if sys.stdout.isatty() else 130)
    with tempfile.TemporaryDirectory() as folder:
        question = Path(folder) / "question.wav"
        pcm, rate_hz = asyncio.run(speak_question(args.ask))
        write_wav(question, resample(pcm, rate_hz))
        compare(args, question, parser, console)


def compare(
    args: argparse.Namespace, question: Path, parser: argparse.ArgumentParser, console: Console
) -> None:
    """Measure, judge, print, write, and exit."""
    rows = all_rows(args.calls, args.fastrtc_python, question)
    if args.only:
        wanted = args.only.split(",")
        if unknown := set(wanted) - {row.name for row in rows}:
            parser.error(f"no row {', '.join(sorted(unknown))}; there are {[r.name for r in rows]}")
        rows = [row for row in rows if row.name in wanted]
    if not args.fastrtc_python:
        console.print("FastRTC is left out: no --fastrtc-python was given.")
    rounds = asyncio.run(run(rows, args.rounds, args.seconds, console))
    verdicts = judge(rounds)
    for table in (cost_table(rows, rounds), speed_table(rows, rounds), targets_table(verdicts)):
        console.print(table)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "seconds": args.seconds,
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in ("aiortc", "av", "aioice")},
    }
    verdict_list = [verdict.__dict__ for verdict in verdicts]
    args.json.write_text(
        json.dumps({"about": about, "rounds": rounds, "targets": verdict_list}, indent=1) + "\n"
    )
    console.print(f"All figures: {args.json}")
    sys.exit(0 if all(verdict.met is not False for verdict in verdicts) else 1)


if __name__ == "__main__":
    main()
