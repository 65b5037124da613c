"""A process that has imported Ray, Serve and ADK once and forks the workers and agents of raylets.

A cluster has one that imports, which ends with its standard input. Each raylet has a fork of it,
which ends with the raylet, as a worker's parent does.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys

from tests.support.fork_request import Request
from tests.support.fork_server import become, fork_on_request, threads

IMPORTED = (
    "ray._private.workers.default_worker",
    "ray.dashboard.agent",
    # Modules that an agent imports because they are there.
    "ray.dashboard.modules.aggregator.aggregator_agent",
    "ray.dashboard.modules.reporter.reporter_agent",
    "ray._private.runtime_env.agent.runtime_env_agent",
    "ray.serve._private.controller",
    "ray.serve._private.proxy",
    "ray.serve._private.replica",
    "vision_agent.cluster.app",
    "vision_agent.cluster.served",
)


def main() -> tuple[Request, list[int], socket.socket | None] | None:
    """Imports the modules and serves requests; in each child, returns what it becomes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        with contextlib.suppress(OSError):
            listener.bind(f"\0{sys.argv[1]}")
            listener.listen(64)
        # Binding fails if another worker has started a server at the same time.
        print("listening", flush=True)
        if not listener.getsockname():
            return None
        if (raylet := os.environ.get("RAY_RAYLET_PID")) is not None:
            return fork_on_request(listener, os.pidfd_open(int(raylet)))
        # Ray reads these when it is imported. Forks have no job yet, like workers that are started
        # ahead. Of the raylet's end they learn by their parent's.
        os.environ |= {"RAY_RAYLET_PID": str(os.getpid()), "RAY_JOB_ID": "ffffffff"}
        gc.disable()  # as the fork server does: `fork_on_request` enables it
        for module in IMPORTED:
            importlib.import_module(module)
        assert threads() == 1, "threads do not survive a fork"
        return fork_on_request(listener)


if __name__ == "__main__" and (child := main()):
    become(*child)
