"""The program that a raylet starts as a worker: it runs `default_worker.py` in a fork.

When Ray is imported, it reads the variable that names the worker's raylet. So the workers of each
raylet are forks of a `ray_server` of their own, which the first worker starts.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys

from tests.support import forked_command
from tests.support.fork_request import ADDRESS_VARIABLE, Request


def serving() -> str:
    """The address of this raylet's `ray_server`; starts it if necessary."""
    address = f"{os.environ[ADDRESS_VARIABLE]}-ray-{os.environ['RAY_RAYLET_PID']}"
    with open("/proc/net/unix") as listening:
        if f"@{address}\n" in listening.read():
            return address
    # On import, Ray also reads a worker's job: forks have none yet, like prestarted workers.
    environment = {**os.environ, "RAY_JOB_ID": "ffffffff"}
    del environment["PYTHONPATH"]
    told, stdout = os.pipe()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{os.environ[ADDRESS_VARIABLE]}")
        asked = Request("tests.cluster.ray_server", [address], environment, os.getcwd(), True)
        asked.send(connection, [0, stdout, 2])
        os.close(stdout)
        with open(told) as lines:
            lines.readline()
    return address


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    if first != "asks":
        # This is the fork. A raylet ends the whole process group of a worker, so the fork has its
        # own. The fork server forks the processes that it starts.
        os.setpgid(0, 0)
        os.environ[ADDRESS_VARIABLE], sys.argv = first, rest
        runpy.run_path(rest[0], run_name="__main__")
    else:
        fork_server = os.environ[ADDRESS_VARIABLE]
        os.environ[ADDRESS_VARIABLE] = serving()
        sys.argv[1:] = ["tests.cluster.ray_worker", fork_server, *rest]
        sys.exit(forked_command.main())
