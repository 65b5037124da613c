"""The agent's usefulness: 60 questions, and how many it answers right.

    python -m benchmarks.usefulness                     all of them, 4 minutes
    python -m benchmarks.usefulness --every 5
    python -m benchmarks.usefulness --kind read
    python -m benchmarks.usefulness --url http://…      a server that already runs
    python -m benchmarks.usefulness -- --brain http://… further arguments for `serve`

Each question is asked in a call of its own, to `vision-agent serve` with its default agent: half of
them spoken, half typed. `questions.yaml` has them, `judge.py` the rules.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vision_agent import CallFailed, CallRefused, ServerProcess

from .asking import ask
from .judge import Verdict, judge
from .photographs import STORE, PhotographsMissing, fetch
from .questions import HERE, Photograph, Question, read
from .voices import VOICES

GOAL_RIGHT, GOAL_WRONG = 0.60, 0.03
_STYLES = {
    Verdict.RIGHT: "green",
    Verdict.REFUSAL: "yellow",
    Verdict.WRONG: "bold red",
    Verdict.USELESS: "magenta",
}
Row = dict[str, Any]


async def asked_and_judged(
    url: str, number: int, question: Question, photographs: dict[str, Photograph]
) -> Row:
    """Ask one question and judge its answer."""
    voice = VOICES[number % len(VOICES)] if question.by == "voice" else ""
    failure = None
    try:
        asked = await ask(url, question, photographs, voice)
    except (CallFailed, CallRefused) as error:
        failure = str(error)
    row: Row = {"number": number, "kind": question.kind, "by": voice or "typed"}
    row |= {"shows": question.shows, "asked": question.asked}
    if failure is not None:
        return row | {"answer": "", "verdict": Verdict.USELESS.value, "why": f"failed: {failure}"}
    shown = [photographs[name] for name in question.shows]
    judgement = judge(question, shown, asked.answer, asked.at)
    row |= {
        "at": asked.at.isoformat(timespec="seconds"),
        "heard": asked.heard,
        "answer": asked.answer,
        "reply_ms": asked.reply_ms,
    }
    return row | {"verdict": judgement.verdict.value, "why": judgement.why}


def judged_again(
    rows: Sequence[Row], questions: Sequence[Question], photographs: dict[str, Photograph]
) -> list[Row]:
    """Judge the answers of an earlier run by the rules of today."""
    again = []
    for row in rows:
        question = questions[row["number"] - 1]
        shown = [photographs[name] for name in question.shows]
        at = datetime.fromisoformat(row["at"])
        judgement = judge(question, shown, row["answer"], at)
        again.append(row | {"verdict": judgement.verdict.value, "why": judgement.why})
    return again


async def all_rows(
    url: str,
    questions: Sequence[tuple[int, Question]],
    photographs: dict[str, Photograph],
    calls: int,
) -> list[Row]:
    """Ask all questions, a few at a time; in the order of the questions."""
    free = asyncio.Semaphore(calls)

    async def one(number: int, question: Question) -> Row:
        async with free:
            row = await asked_and_judged(url, number, question, photographs)
            print(f"{number:3} {row['verdict']:14} {question.ask}", file=sys.stderr, flush=True)
            return row

    return list(await asyncio.gather(*(one(n, question) for n, question in questions)))


@contextlib.asynccontextmanager
async def server(url: str | None, arguments: Sequence[str]) -> AsyncIterator[str]:
    """The given server, or one of its own with the embedded default and an empty data folder."""
    if url:
        yield url
        return
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_AGENT_DATA_DIR"] = folder
        async with ServerProcess(*arguments, stderr_to=STORE / "server.log") as own:
            yield own.url


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """How many of each verdict: of all, and by how they were asked, by what kind."""

    def counted(some: Sequence[Row]) -> dict[str, Any]:
        verdicts = Counter(row["verdict"] for row in some)
        return {"questions": len(some)} | {v.value: verdicts[v.value] for v in Verdict}

    spoken = [row for row in rows if row["by"] != "typed"]
    replies = [row["reply_ms"] for row in spoken if row.get("reply_ms") is not None]
    return {
        "all": counted(rows),
        "voice": counted(spoken),
        "typed": counted([row for row in rows if row["by"] == "typed"]),
        "kinds": {
            kind: counted([row for row in rows if row["kind"] == kind])
            for kind in dict.fromkeys(row["kind"] for row in rows)
        },
        "reply_ms_median": round(statistics.median(replies)) if replies else None,
    }


def show(rows: Sequence[Row], sums: dict[str, Any], console: Console) -> None:
    """Print every answer, and the totals."""
    answers = Table("", "kind", "by", "asked", "answered", "", title="The questions")
    for row in rows:
        verdict = Verdict(row["verdict"])
        said = escape(" / ".join(row["asked"]))
        judged = f"[{_STYLES[verdict]}]{verdict}[/]" + (f": {row['why']}" if row["why"] else "")
        number = str(row["number"])
        answers.add_row(number, row["kind"], row["by"], said, escape(row["answer"]), judged)
    console.print(answers)
    table = Table("", "questions", *(v.value for v in Verdict), title="Totals")
    lines = {name: sums[name] for name in ("voice", "typed")} | sums["kinds"]
    for name, counts in [*lines.items(), ("all", sums["all"])]:
        table.add_row(name, *(str(count) for count in counts.values()))
    count = max(sums["all"]["questions"], 1)
    table.add_row("%", "", *(f"{100 * sums['all'][v.value] / count:.0f}" for v in Verdict))
    console.print(table)
    console.print(f"Goal: right ≥ {GOAL_RIGHT:.0%}, wrong ≤ {GOAL_WRONG:.0%}.")


def main() -> int:
    """Run it; 1 if the questions could not be asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", type=Path, default=HERE / "questions.yaml")
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question")
    parser.add_argument("--only", help="numbers of questions, with commas")
    parser.add_argument("--kind", help="ask this kind only")
    parser.add_argument("--calls", type=int, default=3, help="calls at the same time")
    parser.add_argument("--url", help="a server that runs; without it one is started")
    parser.add_argument("--json", type=Path, default=STORE / "usefulness.json")
    parser.add_argument("--again", type=Path, help="judge an earlier run's answers once more")
    parser.add_argument("serve", nargs="*", help="further arguments for `serve`")
    options = parser.parse_args()
    photographs, questions = read(options.set)
    only = {int(number) for number in options.only.split(",")} if options.only else None
    chosen = [
        (number, question)
        for number, question in enumerate(questions, start=1)
        if (number - 1) % options.every == 0
        and options.kind in (None, question.kind)
        and (only is None or number in only)
    ]
    needed = {name: photographs[name] for _, question in chosen for name in question.shows}

    async def asked() -> list[Row]:
        async with server(options.url, options.serve) as url:
            return await all_rows(url, chosen, photographs, options.calls)

    STORE.mkdir(parents=True, exist_ok=True)
    if options.again:
        earlier = json.loads(options.again.read_text())["questions"]
        rows = judged_again(earlier, questions, photographs)
        show(rows, totals(rows), Console(width=None if sys.stdout.isatty() else 180))
        return 0
    try:
        fetch(needed.values())
        began_s = time.monotonic()
        rows = asyncio.run(asked())
    except PhotographsMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    sums = totals(rows) | {"seconds": round(time.monotonic() - began_s)}
    show(rows, sums, Console(width=None if sys.stdout.isatty() else 180))
    options.json.write_text(json.dumps({"totals": sums, "questions": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
