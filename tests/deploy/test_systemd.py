"""The unit for systemd, as systemd's own analyses judge it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parent.parent.parent / "deploy/systemd/vision-agent.service"
INSTALLED = "/opt/vision-agent/.venv/bin/vision-agent"
MOST_EXPOSED = 15  # of 100; a unit without any restriction has 96


def analyze(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd).")
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_the_unit_is_valid_and_hardened(tmp_path):
    text = UNIT.read_text()
    assert text.count(INSTALLED) == 1
    program = Path(sys.executable).with_name("vision-agent")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(INSTALLED, str(program)))
    assert UNIT.name not in analyze("verify", str(unit))
    analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(unit))
