"""Writes the seconds of long files of tests, for their order, to tests/support/seconds.toml.

make test ARGS="--durations=0 --durations-min=0" > durations.txt
.venv/bin/python scripts/record_seconds.py < durations.txt
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

LONG_S = 5.0

TABLE = Path(__file__).parent.parent / "tests" / "support" / "seconds.toml"
LINE = re.compile(r"([\d.]+)s (?:setup|call|teardown) +(tests/\S+?\.py)::")


def main() -> None:
    files: Counter[str] = Counter()
    for line in sys.stdin:
        if found := LINE.match(line.strip()):
            files[found[2]] += float(found[1])
    rows = "".join(f'"{name}" = {s:.0f}\n' for name, s in files.most_common() if s >= LONG_S)
    title = (
        f"# Files of tests that take {LONG_S:.0f} s and more, roughly: scripts/record_seconds.py."
    )
    TABLE.write_text(f"{title}\n{rows}")


if __name__ == "__main__":
    main()
