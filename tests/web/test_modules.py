"""The page's modules that need no browser, tested by Node's own test runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OLDEST_NODE = 20


@pytest.fixture(scope="module")
def node() -> str:
    """Node, new enough; skips in words otherwise."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(f"Node is not installed: the page's unit tests need {OLDEST_NODE} or newer.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v\n").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node is {version.strip()}: the page's tests need {OLDEST_NODE} or newer.")
    return node


@pytest.mark.parametrize("file", sorted(file.name for file in HERE.glob("*.test.mjs")))
def test_the_pages_module(node, file):
    done = subprocess.run(
        # The page's modules are plain .js files, which Node 20 takes for CommonJS.
        [node, "--experimental-default-type=module", "--test", "--test-reporter=tap", file],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^# pass (\d+)", done.stdout, re.M)[1]) > 0
