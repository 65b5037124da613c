"""Ray whose workers are forks of processes that have imported Ray, Serve and ADK already.

Each worker imports Ray, one that serves Serve too, and one that has calls ADK: up to three seconds
of CPU, twenty times in a few tests. Only the import is left out: the raylet that starts a worker,
and the worker's arguments, environment, logs and end are as always.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.support.forked import ROOT, start_fork_server

PYTHON = """#!/bin/sh
case "$1" in
*/default_worker.py) PYTHONPATH={root} exec {python} -S -m tests.cluster.ray_worker asks "$@" ;;
esac
exec {python} "$@"
"""
"""What Ray takes for Python: its agents and monitors are started as always."""


def write_python(folder: Path) -> Path:
    """Writes what nodes are to be started with in the place of `sys.executable`."""
    if sys.platform != "linux":
        return Path(sys.executable)
    start_fork_server()
    program = folder / "python"
    words = {"root": ROOT, "python": sys.executable}
    program.write_text(PYTHON.format(**{name: shlex.quote(str(it)) for name, it in words.items()}))
    program.chmod(0o755)
    return program
