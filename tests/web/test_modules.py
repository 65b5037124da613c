"""The page's modules that need no browser, tested by Node's own test runner."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.node import node_with

HERE = Path(__file__).parent
FILES = sorted(str(file.relative_to(HERE)) for file in HERE.rglob("*.test.mjs"))


@pytest.fixture(scope="module")
def node() -> str:
    """Node, new enough; skips in words otherwise."""
    return node_with()


@pytest.mark.parametrize("file", FILES)
def test_the_pages_module(node, file):
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", file],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^# pass (\d+)", done.stdout, re.M)[1]) > 0
