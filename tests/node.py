"""Node for the tests that need it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

OLDEST_NODE = 20


def node_with(*packages: Path) -> str:
    """The path of a Node that is new enough and has these packages; skips the test otherwise."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(f"Node is not installed: {OLDEST_NODE} or newer is needed.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v\n").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node is {version.strip()}: {OLDEST_NODE} or newer is needed.")
    for package in packages:
        if not package.is_dir():
            pytest.skip(f"{package.name} is not installed; `make test` installs it.")
    return node
