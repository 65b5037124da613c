"""`scripts/setup.sh`: what is installed already is not installed again."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def set_up(venv: Path, what: str) -> str:
    """Run it on an environment whose Python only notes what it is asked for; returns that."""
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    python, asked = venv / "bin" / "python", venv / "asked"
    python.write_text(f'#!/bin/sh\necho "$*" >> "{asked}"\n')
    python.chmod(0o755)
    asked.unlink(missing_ok=True)
    subprocess.run(
        ["sh", "scripts/setup.sh", what],
        cwd=ROOT,
        env=os.environ | {"VENV": str(venv)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return asked.read_text() if asked.exists() else ""


@pytest.mark.parametrize("had", ["run", "dev"])
def test_a_run_installs_once_and_nothing_where_the_tests_can_run(tmp_path: Path, had: str) -> None:
    if had == "run":
        assert "install" in set_up(tmp_path, "run")
    else:
        (tmp_path / ".installed-dev").touch()
    assert set_up(tmp_path, "run") == ""


def test_a_changed_description_is_installed_anew(tmp_path: Path) -> None:
    (tmp_path / ".installed-dev").touch()
    os.utime(tmp_path / ".installed-dev", (0, 0))
    assert "install" in set_up(tmp_path, "run")


def test_what_serves_for_a_run_does_not_serve_for_the_tests(tmp_path: Path) -> None:
    """The tests' packages are asked for; the later steps of the setup are not the subject."""
    (tmp_path / ".installed-run").touch()
    assert "--group dev" in set_up(tmp_path, "dev")
