"""The container image, built while the tests are collected: until then, a core is idle.

The build is a process of its own, in a session of its own. The process ends with its standard
input, and so do the commands that it runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from tests.deploy.image import Build, Image
from tests.support.priority import NICE

CHECKOUT = Path(__file__).parent.parent.parent


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """Starts the build in a folder; it ends when its standard input is closed."""
    with _log(folder).open("wb") as log:
        # The lock belongs to the open file: it is released when the build's processes have ended.
        fcntl.flock(log, fcntl.LOCK_EX)
        return subprocess.Popen(
            [sys.executable, "-m", __name__, folder],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=CHECKOUT,
            start_new_session=True,
        )


def wait(folder: Path) -> Image:
    """The image, when it is built."""
    with _log(folder).open() as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert _made(folder).exists(), f"The image could not be built:\n{log.read()}"
    made = json.loads(_made(folder).read_text())
    return Image(**made | {"root": Path(made["root"])})


def _log(folder: Path) -> Path:
    return folder / "log"


def _made(folder: Path) -> Path:
    return folder / "image.json"


def _end_with_the_input() -> None:
    os.read(0, 1)  # nothing is ever written to it
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    folder = Path(sys.argv[1])
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    os.nice(NICE)
    image = Build(CHECKOUT, folder).image()
    _made(folder).write_text(json.dumps(asdict(image), default=str))


if __name__ == "__main__":
    main()
