"""Every block of the tutorial runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT")

# Importing ADK takes seconds: one process runs them all, each in a module of its own.
RUN_ALL = """
import sys
for number, source in enumerate(sys.stdin.read().split("\\0"), 1):
    print(f"-- block {number}", flush=True)
    exec(compile(source, f"block {number}", "exec"), {"__name__": f"block_{number}"})
"""


def blocks(kind: str) -> list[str]:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    return [source for language, source in BLOCK.findall(text) if language == kind]


@pytest.fixture
def environment() -> dict[str, str]:
    """As a newcomer has it: the installed commands, and no key."""
    kept = {name: value for name, value in os.environ.items() if name not in KEYS}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.timeout(300)
def test_every_python_block_runs(environment):
    sources = blocks("python")
    assert sources
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input="\0".join(sources),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
