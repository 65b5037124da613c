"""How well the local engine hears and how fast it speaks.

    python benchmarks/engine.py                     everything, about 5 minutes
    python benchmarks/engine.py --every 5           a fifth of the sentences
    python benchmarks/engine.py --only speaking     one part

Hearing is measured with a fixed set of sentences in two voices, none of which was used for tuning,
with real speech that asks for nothing, and with noises made from fixed seeds. benchmarks/README.md
says how to read the columns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from engine_first_sound import measure_first_sound
from engine_hearing import measure_hearing
from engine_recognition import measure_recognition
from engine_speaking import measure_speaking
from rich.console import Console
from rich.table import Table
from rows import HERE

PARTS = {
    "hearing": measure_hearing,
    "recognition": measure_recognition,
    "speaking": measure_speaking,
    "first-sound": measure_first_sound,
}
TITLES = {
    "hearing": "When somebody speaks (ms, from the sound to the event, by the stream's own clock)",
    "recognition": "What was said",
    "speaking": "The voice (ms: median / 95th percentile)",
    "first-sound": "From the end of what was said, as decided, to the first sound on the wire (ms)",
}

Row = dict[str, Any]


def table(title: str, rows: list[Row]) -> Table:
    """Figures for people, a column for each name."""
    made = Table(title=title, title_justify="left")
    for number, name in enumerate(rows[0]):
        made.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        made.add_row(*(f"{v:.0f}" if isinstance(v, float) else str(v) for v in row.values()))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="take every n-th sentence only")
    parser.add_argument("--only", help=f"parts, comma-separated: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, default=HERE.parent / "out" / "engine.json")
    args = parser.parse_args()
    wanted = args.only.split(",") if args.only else list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    console = Console(width=None if sys.stdout.isatty() else 130)
    figures: dict[str, list[Row]] = {}
    for name in wanted:
        with console.status(name):
            figures[name] = asyncio.run(PARTS[name](args.every))
        console.print(table(TITLES[name], figures[name]))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(figures, indent=1) + "\n")
    console.print(f"All figures: {args.json}")


if __name__ == "__main__":
    main()
