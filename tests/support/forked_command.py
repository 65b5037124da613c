"""`python -m tests.support.forked_command MODULE …`: runs a module as the fork server's child.

The child has the command's standard streams, environment and folder. The command waits for it,
passes SIGINT and SIGTERM on, and ends with its exit status.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
from pathlib import Path

from tests.support.fork_request import ADDRESS_VARIABLE, Request

ROOT = Path(__file__).parent.parent.parent


def write(command: Path, module: str) -> None:
    """Writes the command as a program; the fork server must be running."""
    words = (sys.executable, "-S", "-m", "tests.support.forked_command", module)
    path = shlex.quote(str(ROOT))
    command.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {shlex.join(words)} "$@"\n')
    command.chmod(0o755)


def main() -> int:
    """The exit status."""
    module, *arguments = sys.argv[1:]
    environment = dict(os.environ)
    del environment["PYTHONPATH"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{environment[ADDRESS_VARIABLE]}")
        Request(module, arguments, environment, str(Path.cwd()), False).send(connection, [0, 1, 2])
        with connection.makefile("r") as told:
            pid = int(told.readline())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda number, _: os.kill(pid, number))
            status = int(told.readline())
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
