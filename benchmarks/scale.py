"""How many calls one process and a cluster hold, and what the ingress adds to an offer.

    python benchmarks/scale.py                                 the whole comparison, ten minutes
    python benchmarks/scale.py --step 4 --most 8 --seconds 5   a short look
    python benchmarks/scale.py --callers-on 2,3 --servers-on 0,1
    python benchmarks/scale.py --worker-share 0.4 --only worker --first 4 --step 1 --seconds 6

Calls are added step by step until the voice is late (until the 99th percentile of the time between
two of its packets is more than 10 ms above the 20 that it ought to be), a call is without a voice,
or packets of callers are dropped because the server can't keep up. The model is scripted, so
ADK and the wire are part of it, and hearing and speaking are not. Callers take CPU from servers on
the same cores: --callers-on puts them elsewhere. Where there are too few cores for that,
--worker-share limits each worker to a part of a core, which leaves room for all else, and compares
what one and two such workers hold. benchmarks/README.md says how to read it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from cpu_share import CpuShare, NoShares
from processes import HERE, BenchmarkFailed, Server, Usage
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

LATE_MS = 10.0
OWN_LATE_MS = 4.0
TRIES = 3
"""How often a step is measured at most while the callers' own timers are late as well."""
REQUESTS = 100
HELD_BY = {
    "serve": ("serve",),
    "cluster, 1 worker": ("cluster", "--workers=1"),
    "cluster, 2 workers": ("cluster", "--workers=2"),
}

WORKER = "ray::CallWorker"
"""How the title of a worker's process begins."""

Figures = dict[str, Any]


class Callers:
    """A running `scale_callers.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, url: str, cores: list[int]) -> Callers:
        """Start it on these cores; without any, on all."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(HERE / "scale_callers.py"), "--url", url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if cores:
            psutil.Process(process.pid).cpu_affinity(cores)
        return cls(process)

    async def ask(self, command: str, within_s: float) -> Figures:
        """Send a command; returns the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        line = await asyncio.wait_for(self._process.stdout.readline(), within_s)
        if not line:
            raise BenchmarkFailed("The callers ended; what they said stands above.")
        return dict(json.loads(line))

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    async def stop(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def held(command: tuple[str, ...], args: argparse.Namespace) -> Figures:
    """Add calls until the voice is late."""
    offers: list[float] = []
    rows: list[Figures] = []
    async with Server(command_of(command, args.most), "/healthz") as server:
        if args.servers_on:
            for each in [server_process(server), *server_process(server).children(recursive=True)]:
                each.cpu_affinity(args.servers_on)
        workers = workers_of(server, of_cluster=command[0] == "cluster")
        shares = hold(workers, args.worker_share)
        callers = await Callers.start(server.url, args.callers_on)
        try:
            before = server.usage()
            requests = (await callers.ask(f"request {REQUESTS}", 120))["ms"]
            await asyncio.sleep(5)
            idle_pct = used_pct(before, server.usage())
            calls = 0
            while calls < args.most:
                new = args.step if calls else args.first or args.step
                calls += new
                added = await callers.ask(f"add {new}", 120)
                offers += added["offer_ms"]
                await asyncio.sleep(2)
                for _ in range(TRIES):
                    figures = await measured(server, workers, callers, args.seconds)
                    figures["calls"] = calls
                    if holds(figures) or figures["own_p99_ms"] <= OWN_LATE_MS:
                        break
                rows.append(figures)
                if not holds(figures):
                    break
        finally:
            await callers.stop()
            for share in shares:
                share.end()
    return {
        "held": max((row["calls"] for row in rows if holds(row)), default=0),
        "offer_ms": offers,
        "request_ms": requests,
        "idle_pct": idle_pct,
        "steps": rows,
    }


async def measured(
    server: Server, workers: list[psutil.Process], callers: Callers, seconds: float
) -> Figures:
    """Measure how late the voice is with the present calls, and what they cost."""
    before, own_s, workers_s = server.usage(), callers.cpu_s(), cpu_s(workers)
    dropped = await asyncio.to_thread(dropped_by, server)
    figures = await callers.ask(f"measure {seconds}", seconds + 60)
    after = server.usage()
    took_s = after.at_s - before.at_s
    return figures | {
        "dropped": await asyncio.to_thread(dropped_by, server) - dropped,
        "cpu_pct": used_pct(before, after),
        "workers_pct": 100 * (cpu_s(workers) - workers_s) / took_s,
        "callers_pct": 100 * (callers.cpu_s() - own_s) / took_s,
    }


def holds(figures: Figures) -> bool:
    """Whether all calls have a voice that is in time, and no packet of a caller is dropped."""
    all_heard = figures["heard"] == figures["calls"]
    return figures["p99_ms"] <= LATE_MS and all_heard and not figures["dropped"]


def dropped_by(server: Server) -> float:
    """How many packets of callers the server and its workers have dropped as too late."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    late = [each for each in families if each.name == "vision_agent_datagrams_late"]
    return sum(sample.value for family in late for sample in family.samples)


def workers_of(server: Server, *, of_cluster: bool) -> list[psutil.Process]:
    """The processes that have the calls: the server itself, or a cluster's workers."""
    process = server_process(server)
    if not of_cluster:
        return [process]
    children = process.children(recursive=True)
    workers = [each for each in children if "".join(each.cmdline()).startswith(WORKER)]
    if not workers:
        raise BenchmarkFailed(f"No process of the cluster is called {WORKER}….")
    return workers


def hold(workers: list[psutil.Process], share: float | None) -> list[CpuShare]:
    """Hold each worker to its share of a core, if there is one."""
    if share is None:
        return []
    shares = []
    for worker in workers:
        shares.append(CpuShare(f"vision-agent-scale-{worker.pid}", share))
        shares[-1].hold(worker.pid)
    return shares


def cpu_s(processes: list[psutil.Process]) -> float:
    """CPU seconds that they have used so far, without their children."""
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def command_of(command: tuple[str, ...], calls: int) -> tuple[str, ...]:
    """The whole command line of a server with room for this many calls."""
    return (
        *(sys.executable, "-m", "vision_agent", *command, "--port={port}", "--model=local"),
        *(f"--scenario={HERE / 'scale.yaml'}", f"--max-calls={calls}"),
    )


def lift_limits() -> None:
    """Let servers take callers who all have one address and come within a minute."""
    for limit in ("CALLS_PER_ADDRESS", "UNCONNECTED_CALLS_PER_ADDRESS", "OFFERS_PER_MINUTE"):
        os.environ[f"VISION_AGENT_{limit}"] = "0"
    os.environ["VISION_AGENT_DRAIN_S"] = "0"


def used_pct(before: Usage, after: Usage) -> float:
    """Per cent of a core that a server and its children used between two readings."""
    used_s = after.own_cpu_s + after.children_cpu_s - before.own_cpu_s - before.children_cpu_s
    return 100 * used_s / (after.at_s - before.at_s)


def server_process(server: Server) -> psutil.Process:
    """The server's process."""
    assert server._process is not None
    return psutil.Process(server._process.pid)


def table(results: dict[str, Figures], share: float | None) -> Table:
    """The results for people."""
    title = f"Calls with the 99th percentile of the voice's lateness ≤ {LATE_MS:g} ms"
    if share is not None:
        title += f"; each worker may use {100 * share:g} % of a core, all else what it needs"
    shown = Table(title=title)
    titles = (
        "",
        "calls",
        "heard",
        "dropped",
        "late p99",
        "the callers' own",
        "CPU",
        "workers' CPU",
        "a call",
    )
    for title in (*titles, "callers' CPU", "offer p50, p95", "request p50, p95", "idle CPU"):
        shown.add_column(title, justify="left" if not title else "right")
    for name, result in results.items():
        offers, requests = (
            ", ".join(f"{ms:.0f}" for ms in np.percentile(result[of], [50, 95])) + " ms"
            for of in ("offer_ms", "request_ms")
        )
        for row in result["steps"]:
            last = row is result["steps"][-1]
            shown.add_row(
                f"{name}: {result['held']}" if last else name,
                str(row["calls"]),
                str(row["heard"]),
                f"{row['dropped']:.0f}",
                f"{row['p99_ms']:.1f} ms",
                f"{row['own_p99_ms']:.1f} ms",
                f"{row['cpu_pct']:.0f} %",
                f"{row['workers_pct']:.0f} %",
                f"{(row['cpu_pct'] - result['idle_pct']) / row['calls']:.1f} %",
                f"{row['callers_pct']:.0f} %",
                *((offers, requests, f"{result['idle_pct']:.0f} %") if last else ("", "", "")),
            )
    return shown


def ratio(results: dict[str, Figures], most: int) -> str:
    """How many times as many calls two workers hold; empty unless both were measured."""
    names = ("cluster, 1 worker", "cluster, 2 workers")
    one, two = (results.get(name, {}).get("held") for name in names)
    if not one or not two:
        return ""
    if most in (one, two):
        return f"No ratio of the two: {most} calls, the most that were tried, were held."
    return f"2 workers hold {two} calls, 1 worker {one}: {two / one:.2f} times as many."


def _share(text: str) -> float:
    share = float(text)
    if not 0.1 <= share <= 1:
        raise argparse.ArgumentTypeError("a share of a core is between 0.1 and 1")
    return share


def _cores(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--step", type=int, default=5, help="calls added at a time")
    parser.add_argument("--first", type=int, default=0, help="calls of the first step, if others")
    parser.add_argument("--most", type=int, default=80, help="calls at most")
    parser.add_argument("--seconds", type=float, default=20, help="measured at each step")
    parser.add_argument("--servers-on", type=_cores, default=[], help="cores, comma-separated")
    parser.add_argument("--callers-on", type=_cores, default=[], help="cores, comma-separated")
    parser.add_argument(
        "--worker-share",
        type=_share,
        help="hold each worker to this part of a core (Linux, cgroup v1, as root): 0.4",
    )
    parser.add_argument("--only", default="", help="part of a name: 1 worker")
    parser.add_argument("--json", type=Path, default=HERE.parent / "out" / "scale.json")
    args = parser.parse_args()

    console = Console(width=None if sys.stdout.isatty() else 130)
    lift_limits()
    results: dict[str, Figures] = {}
    for name, command in HELD_BY.items():
        if args.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder, console.status(name):
            os.environ["VISION_AGENT_DATA_DIR"] = folder
            try:
                results[name] = asyncio.run(held(command, args))
            except (BenchmarkFailed, NoShares) as error:
                console.print(f"[red]{name}: {error}[/]", highlight=False)
    console.print(table(results, args.worker_share))
    console.print(ratio(results, args.most), highlight=False)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
