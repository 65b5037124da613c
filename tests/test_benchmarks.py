"""The benchmark of calls still runs on the product as it is; what it measures is no test."""

import asyncio
import json
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


async def test_the_media_path_is_called_and_measured(tmp_path: Path) -> None:
    out = tmp_path / "call.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "call.py",
        *("--seconds", "1", "--rounds", "1", "--only", "media30,media-echo", "--json", str(out)),
        cwd=BENCHMARKS,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    assert "failed" not in printed.decode()
    assert json.loads(out.read_text())
