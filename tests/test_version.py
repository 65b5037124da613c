"""The name of the distribution, and the words about a missing extra."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from vision_agent.version import DISTRIBUTION, __version__, missing_extra

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_installed_distribution_is_the_one_that_is_told() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    assert __version__ == version(DISTRIBUTION)
    with pytest.raises(PackageNotFoundError):
        version("vision-agent")


def told() -> list[Path]:
    """Every file that tells somebody to install something."""
    folders = [ROOT / name for name in ("docs", "samples", "vision_agent", "scripts")]
    return [
        ROOT / "README.md",
        *(file for folder in folders for file in folder.rglob("*.[mps][dyh]")),
    ]


def test_nobody_is_told_to_install_the_other_project_of_that_name() -> None:
    assert len(told()) > 100
    for file in told():
        for line in re.findall(r"pip install [^\n]*?vision-agent\b[^\n]*", file.read_text()):
            assert "another" in line or "belongs" in line or "brings that one" in line, file


@pytest.mark.parametrize(
    ("module", "extra"),
    [("mcp", "mcp"), ("google.adk.tools.mcp_tool", "mcp"), ("asyncpg", "postgres")],
)
def test_a_missing_extra_is_told_with_how_to_install_it(module, extra, monkeypatch) -> None:
    assert extra in PROJECT["optional-dependencies"]
    monkeypatch.setitem(sys.modules, {"mcp": "mcp", "postgres": "asyncpg"}[extra], None)
    error = AgentFailure("it failed")
    error.__cause__ = ImportError("no", name=module)
    assert missing_extra(error) == f"pip install 'adk-video-call[{extra}]'"


@pytest.mark.parametrize(
    "error", [ImportError("x"), ImportError("x", name="numpy"), ValueError("x")]
)
def test_other_errors_have_no_extra(error) -> None:
    assert missing_extra(error) is None


def test_an_extra_that_is_installed_is_not_to_blame() -> None:
    assert missing_extra(ImportError("a typo of the agent's", name="mcp")) is None


def test_pip_takes_the_advice_where_the_distribution_is_installed(tmp_path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--dry-run"),
            f"{DISTRIBUTION}[mcp]",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class AgentFailure(ValueError):
    """An error raised from a failed import."""
