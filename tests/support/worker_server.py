"""A process that has collected the tests once and forks each of pytest's workers.

Importing all tests takes 7 s of CPU, and collecting them 1.4 s. Every worker of pytest-xdist does
both; a fork has the results already.

Requests arrive as at the fork server, whose child it is, on a Unix socket of its own. It ends when
its standard input does.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys

import pytest

from tests.support.collected import kept
from tests.support.fork_request import Request
from tests.support.fork_server import become, fork_on_request, threads


class _ThreadWatch:
    """Notes the first file of tests whose import has started a thread."""

    started_by: str | None = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if self.started_by is None and threads() > 1:
            self.started_by = report.nodeid


def main() -> tuple[Request, list[int]] | None:
    """Collects and serves; in each child, returns its request and streams."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    address, *arguments = sys.argv[1:]
    watch = _ThreadWatch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        print("listening", flush=True)
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            gc.disable()  # as the fork server does: `fork_on_request` enables it
            # This plugin collects garbage twice at the end of a run, which takes a second.
            arguments += ["-n", "0", "--collect-only", "-p", "no:unraisableexception"]
            pytest.main(arguments, plugins=[watch, kept])
        if watch.started_by is not None:
            print(
                f"To import {watch.started_by} starts a thread, which does not survive a fork: "
                "each worker imports all tests again.",
                file=sys.stderr,
            )
        child = fork_on_request(listener)
    if child is None or watch.started_by is None:
        return child
    request, streams = child
    return request._replace(module="tests.support.new_worker"), streams


if __name__ == "__main__" and (child := main()):
    become(*child)
