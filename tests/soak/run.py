"""Ten minutes of a call with faults: `make soak`, or `python -m tests.soak.run --seconds 600`.

`vision-agent serve` runs a scenario whose faults occur one after another, in an order that a
printed seed determines, and a caller asks again and again. Exits with 1 if a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.soak.caller import Exchange, Kind, SoakCaller
from tests.soak.judge import Fault, Seen, Verdict, judge, waits_after_faults
from tests.soak.scenario import write_scenario
from tests.support.metrics import metrics
from vision_agent.caller.recording import read_sound
from vision_agent.server_process import ServerProcess

RECORDINGS = Path(__file__).parents[2] / "samples" / "recordings"
ANSWER_WITHIN_S = 60.0
_STRUCK = re.compile(r"connection (\d+): (.*)")


async def soak(
    *,
    seconds: float,
    seed: int,
    every_s: float,
    video: Path | None,
    say: Path | None = None,
    serving: type[ServerProcess] = ServerProcess,
) -> tuple[Seen, Verdict]:
    """One call of this duration."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, log = Path(folder) / "soak.yaml", Path(folder) / "stderr"
        write_scenario(scenario, seed=seed, every_s=every_s)
        arguments = ["--agent", "tests.soak.agent:root_agent", "--scenario", str(scenario)]
        async with serving(*arguments, stderr_to=log) as server:
            utterance = await asyncio.to_thread(
                read_sound, say or RECORDINGS / "speech" / "hello.wav"
            )
            caller = SoakCaller(server.url, video, utterance)
            faults: list[Fault] = []
            memory: list[tuple[int, int]] = []
            async with (
                _watched(_follow(log, caller, faults)),
                _watched(_weigh(server.pid, caller, memory)),
            ):
                await caller.dial()
                exchanges = await _converse(caller, seconds, random.Random(seed))
                counters = await asyncio.to_thread(metrics, server.url)
            ended = caller.gone
            await caller.hang_up()
    seen = Seen(
        exchanges,
        caller.voice.stretches,
        faults,
        counters["vision_agent_audio_dropped_ms_total"],
        counters["vision_agent_model_reconnects_total"],
        memory,
        ended,
    )
    return seen, judge(seen)


async def _converse(caller: SoakCaller, seconds: float, rng: random.Random) -> list[Exchange]:
    exchanges: list[Exchange] = []
    deadline_ms = caller.now_ms() + 1000 * seconds
    while caller.now_ms() < deadline_ms and caller.gone is None:
        number = len(exchanges) + 1
        kind: Kind = rng.choice(("typed", "spoken", "tool"))
        text = {"typed": f"question {number}", "tool": f"measure {number}", "spoken": "(spoken)"}
        exchanges.append(await caller.ask(kind, text[kind], ANSWER_WITHIN_S))
        await asyncio.sleep(rng.uniform(0.0, 1.0))
    return exchanges


@asynccontextmanager
async def _watched(work) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _follow(log: Path, caller: SoakCaller, faults: list[Fault]) -> None:
    with log.open() as lines:
        while True:
            while line := lines.readline():
                if found := _STRUCK.fullmatch(line.strip()):
                    faults.append(Fault(caller.now_ms(), int(found[1]), found[2]))
            await asyncio.sleep(0.05)


async def _weigh(pid: int, caller: SoakCaller, memory: list[tuple[int, int]]) -> None:
    process = psutil.Process(pid)
    while True:
        memory.append((caller.now_ms(), process.memory_info().rss))
        await asyncio.sleep(2)


def report(seen: Seen, verdict: Verdict, *, seed: int, seconds: float) -> str:
    """The table, as Markdown, and what went wrong when."""
    lines = [f"seed {seed}, {seconds:g} s", "", "| what | value | promise | |", "|---|---|---|---|"]
    lines += [f"| {a} | {b} | {c} | {'' if ok else 'BROKEN'} |" for a, b, c, ok in verdict.rows]
    lines += ["", *verdict.complaints]
    waits = waits_after_faults(seen)
    lines += ["", f"waits, ms: {sorted(round(wait) for wait in waits)}"]
    sizes = [f"{size / 2**20:.0f}" for _, size in seen.memory_bytes[::15]]
    lines += ["", f"server's memory every 30 s, MiB: {' '.join(sizes)}"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--no-video", action="store_true", help="a caller without a camera")
    parser.add_argument("--verbose", action="store_true", help="each question and each fault")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time()) % 100_000
    print(f"seed {seed}", flush=True)
    seen, verdict = asyncio.run(
        soak(
            seconds=options.seconds,
            seed=seed,
            every_s=options.every,
            video=None if options.no_video else RECORDINGS / "bottle.mp4",
        )
    )
    if options.verbose:
        happened = [(f.at_ms, f"  FAULT {f.connection}: {f.what}") for f in seen.faults]
        happened += [(e.asked_ms, f"{e}") for e in seen.exchanges]
        pairs = itertools.pairwise(seen.memory_bytes)
        happened += [
            (at_ms, f"  MEMORY {(after - before) / 2**20:+.1f} MiB")
            for (_, before), (at_ms, after) in pairs
            if abs(after - before) > 2**20
        ]
        for at_ms, what in sorted(happened):
            print(f"{at_ms / 1000:8.2f} {what}")
    print(report(seen, verdict, seed=seed, seconds=options.seconds))
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
