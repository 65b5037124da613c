"""The program that a raylet starts as a worker: it runs `default_worker.py` in a fork.

When Ray is imported, it reads the variables that name the worker's raylet and job. So the workers
of each raylet and job are forks of a `ray_server` of their own, which the first worker starts.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys

from tests.support import forked_command
from tests.support.fork_request import ADDRESS_VARIABLE, Request


def serving() -> str:
    """The address of the `ray_server` for this raylet and job; starts it if necessary."""
    raylet, job = os.environ["RAY_RAYLET_PID"], os.environ.get("RAY_JOB_ID", "")
    address = f"{os.environ[ADDRESS_VARIABLE]}-ray-{raylet}-{job}"
    with open("/proc/net/unix") as listening:
        if f"@{address}\n" in listening.read():
            return address
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
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
