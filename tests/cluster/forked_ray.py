"""Starts Ray's workers and agents as forks of a process that has imported Ray, Serve and ADK.

A Ray worker imports Ray; some import Serve, and those with calls import ADK. That takes up to three
seconds of CPU, twenty times in a few tests. A fork saves the import alone: a raylet still starts
the process, whose arguments, environment, logs and end do not change.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.fork_request import ADDRESS_VARIABLE, Request
from tests.support.forked import ROOT, start_fork_server

PYTHON = """#!/bin/sh
case "$*" in
*/default_worker.py\\ *|*/dashboard/agent.py\\ *|*/runtime_env/agent/main.py\\ *)
    PYTHONPATH={root} exec {python} -S -m tests.cluster.ray_worker asks {server} "$@" ;;
esac
exec {python} "$@"
"""
"""The program that Ray starts as Python; a head's other processes get the real one."""


@contextlib.contextmanager
def forking(folder: Path) -> Iterator[Path]:
    """Yields a program with which nodes are started instead of `sys.executable`."""
    if sys.platform != "linux":
        yield Path(sys.executable)
        return
    start_fork_server()
    fork_server = os.environ[ADDRESS_VARIABLE]
    server = f"{fork_server}-ray-{os.getpid()}"
    (stdin, held_open), (told, stdout) = os.pipe(), os.pipe()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{fork_server}")
        asked = Request("tests.cluster.ray_server", [server], dict(os.environ), str(ROOT), True)
        asked.send(connection, [stdin, stdout, 2])
    for end in (stdin, stdout):
        os.close(end)
    with open(told) as lines:
        assert lines.readline(), "the process that forks workers says why it can't"
    words = {"root": ROOT, "server": server, "python": sys.executable}
    program = folder / "python"
    program.write_text(PYTHON.format(**{name: shlex.quote(str(it)) for name, it in words.items()}))
    program.chmod(0o755)
    try:
        yield program
    finally:
        os.close(held_open)
