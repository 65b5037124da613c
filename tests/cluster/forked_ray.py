"""Starts Ray workers as forks of processes that have already imported Ray, Serve and ADK.

A Ray worker imports Ray; some import Serve, and those with calls import ADK. That takes up to three
seconds of CPU, twenty times in a few tests. A fork saves the import alone: a raylet still starts
the worker, whose arguments, environment, logs and end do not change.
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
"""The program that Ray starts as Python; Ray's agents and monitors get the real one."""


def write_python(folder: Path) -> Path:
    """Writes the program with which nodes are started instead of `sys.executable`."""
    if sys.platform != "linux":
        return Path(sys.executable)
    start_fork_server()
    program = folder / "python"
    words = {"root": ROOT, "python": sys.executable}
    program.write_text(PYTHON.format(**{name: shlex.quote(str(it)) for name, it in words.items()}))
    program.chmod(0o755)
    return program
