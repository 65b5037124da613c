"""A process that has imported Ray, Serve and ADK once and forks the workers of one raylet.

It ends with the raylet, as a worker ends with its parent.
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
    "ray.serve._private.controller",
    "ray.serve._private.proxy",
    "ray.serve._private.replica",
    "vision_agent.cluster.app",
    "vision_agent.cluster.served",
)


def main() -> tuple[Request, list[int]] | None:
    """Imports the modules and serves requests; in each child, returns the child's request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        with contextlib.suppress(OSError):
            listener.bind(f"\0{sys.argv[1]}")
            listener.listen(64)
        # Binding fails if another worker has started a server at the same time.
        print("listening", flush=True)
        if not listener.getsockname():
            return None
        gc.disable()  # as the fork server does: `fork_on_request` enables it
        for module in IMPORTED:
            importlib.import_module(module)
        assert threads() == 1, "threads do not survive a fork"
        return fork_on_request(listener, os.pidfd_open(int(os.environ["RAY_RAYLET_PID"])))


if __name__ == "__main__" and (child := main()):
    become(*child)
