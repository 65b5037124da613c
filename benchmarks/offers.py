"""What a cluster's ingress adds to an offer: servers side by side, called in turn.

    python benchmarks/offers.py                            one process and a cluster, three minutes
    python benchmarks/offers.py --calls 6 --rounds 100     with more calls in progress at each

All servers run at once, each with the same number of calls in progress. In every round each gets
one caller, whose offer is timed and who then hangs up, and one small request. Other work of the
machine affects all of them, so only the differences between them count, not single figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from processes import HERE, Server
from rich.console import Console
from rich.table import Table
from scale import HELD_BY, Callers, Figures, command_of, lift_limits

ROUND_PAUSE_S = 0.3
"""Longer than the work that follows the answer to an offer: DTLS and the greeting."""


async def in_turn(args: argparse.Namespace) -> dict[str, Figures]:
    """Call each server in turn; returns the durations of offers and requests, in ms."""
    took: dict[str, Figures] = {}
    async with contextlib.AsyncExitStack() as running:
        callers: dict[str, Callers] = {}
        for name, command in HELD_BY.items():
            if args.only not in name and name != "serve":
                continue
            folder = running.enter_context(tempfile.TemporaryDirectory())
            os.environ["VISION_AGENT_DATA_DIR"] = folder
            server = Server(command_of(command, args.calls + 4), "/healthz")
            await running.enter_async_context(server)
            callers[name] = await Callers.start(server.url, [])
            running.push_async_callback(callers[name].stop)
            took[name] = {"offer_ms": [], "request_ms": []}
        for each in callers.values():
            await each.ask(f"add {args.calls}", 120)
        for _ in range(args.rounds):
            for name, each in callers.items():
                took[name]["offer_ms"] += (await each.ask("offer", 60))["offer_ms"]
                await asyncio.sleep(ROUND_PAUSE_S)
                took[name]["request_ms"] += (await each.ask("request 1", 60))["ms"]
    return took


def table(took: dict[str, Figures], calls: int) -> Table:
    """The results for people."""
    shown = Table(title=f"With {calls} calls in progress at each, in ms (p50 / p95)")
    for title in ("", "offer", "more than serve", "request", "more than serve"):
        shown.add_column(title, justify="left" if not title else "right")
    alone = {of: np.percentile(took["serve"][of], [50, 95]) for of in took["serve"]}
    for name, figures in took.items():
        cells = []
        for of, values in figures.items():
            at = np.percentile(values, [50, 95])
            cells += [f"{at[0]:.1f} / {at[1]:.1f}", "{:+.1f} / {:+.1f}".format(*(at - alone[of]))]
        shown.add_row(name, *cells)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=2, help="in progress at each server")
    parser.add_argument("--rounds", type=int, default=60, help="offers to each server")
    parser.add_argument("--only", default="", help="part of a name beside serve: 1 worker")
    parser.add_argument("--json", type=Path, default=HERE.parent / "out" / "offers.json")
    args = parser.parse_args()
    lift_limits()
    took = asyncio.run(in_turn(args))
    Console(width=None if sys.stdout.isatty() else 130).print(table(took, args.calls))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(took, indent=1))


if __name__ == "__main__":
    main()
