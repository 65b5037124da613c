"""Runs pytest inside a test, with two workers and no plugin but xdist."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.forked import ROOT


def run_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """Returns the exit status and the output."""
    command = (sys.executable, "-m", "pytest", "-n2", "--color=no", "-p", "no:cacheprovider")
    done = subprocess.run(
        [*command, "--rootdir", folder, folder, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
