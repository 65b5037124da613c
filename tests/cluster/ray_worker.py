"""What a raylet starts in the place of a Python that runs `default_worker.py`: a fork has it run.

Ray reads the variables that name a worker's raylet and its job when it is imported: for each pair
there is a process of its own, `ray_server`, that the workers are forks of. The first one starts it.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys

from tests.support import forked_command
from tests.support.fork_request import ADDRESS_VARIABLE, Request


def serving() -> str:
    """Where what forks this raylet's workers for this job listens."""
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
        # In the fork, which has a process group of its own, as the raylet ends all in a worker's.
        # What it starts is forked by the fork server.
        os.setpgid(0, 0)
        os.environ[ADDRESS_VARIABLE], sys.argv = first, rest
        runpy.run_path(rest[0], run_name="__main__")
    else:
        fork_server = os.environ[ADDRESS_VARIABLE]
        os.environ[ADDRESS_VARIABLE] = serving()
        sys.argv[1:] = ["tests.cluster.ray_worker", fork_server, *rest]
        sys.exit(forked_command.main())
