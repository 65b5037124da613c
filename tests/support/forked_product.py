"""Forks the product's processes: servers, local Live APIs, an engine's workers.

It is apart from `forked` because it imports the product, which the process that hands out the tests
does not need.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.support.forked import start_forked
from vision_agent.evaluation.virtual_calls import VirtualCalls
from vision_agent.live import local_process
from vision_agent.local.engine.worker_process import WorkerProcess
from vision_agent.server_process import ServerProcess


class ForkedServer(ServerProcess):
    """`vision-agent serve`, forked from a process that has imported it, as is its local Live API.

    Neither is a child of the process that asked for it. On systems other than Linux it is started
    as users start it.
    """

    _start_process = staticmethod(start_forked)


_STARTED = (local_process._Child, WorkerProcess, VirtualCalls)


@contextlib.contextmanager
def started_by(start: Any) -> Iterator[None]:
    """Sets how this process starts local Live APIs and engines' workers, e.g. by `start_forked`.

    Forked workers have their models loaded.
    """
    before = [(kind, kind.start_process) for kind in _STARTED]
    for kind, _ in before:
        kind.start_process = staticmethod(start)
    try:
        yield
    finally:
        for kind, really in before:
            kind.start_process = staticmethod(really)
