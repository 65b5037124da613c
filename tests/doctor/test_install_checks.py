"""The doctor's findings about the installation, the agents and the data folder."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from vision_agent import Settings
from vision_agent.doctor.install_checks import check_agents, check_distribution, check_privacy
from vision_agent.doctor.model_checks import check_model

SAMPLES = Path(__file__).parents[2] / "samples" / "agents"


def settings(**given) -> Settings:
    return Settings(_env_file=None, **given)


def test_the_other_project_of_that_name_is_a_warning(tmp_path: Path, monkeypatch) -> None:
    (finding,) = check_distribution()
    assert finding.status == "ok"
    about = tmp_path / "vision_agent-1.1.20.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vision-agent\nVersion: 1.1.20\n")
    monkeypatch.syspath_prepend(tmp_path)
    (finding,) = check_distribution()
    assert (finding.status, "vision-agent 1.1.20" in finding.text) == ("warning", True)
    assert "pip uninstall vision-agent" in finding.advice


def test_an_agent_whose_extra_is_missing_is_named_with_how_to_install_it(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    shutil.copytree(SAMPLES / "basic", tmp_path / "basic")
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "agent.py").write_text("import mcp")
    (left_out,) = check_agents(str(tmp_path), None, {})
    assert left_out.status == "warning"
    assert "pip install 'adk-video-call[mcp]'" in left_out.text
    (model,) = check_model(settings(agent=str(tmp_path)), {})
    assert (model.status, "local" in model.text) == ("ok", True)
    named = f"{tmp_path / 'basic'},{tmp_path / 'bench'}"
    (broken,) = check_agents(named, None, {})
    assert broken.status == "problem"
    (model,) = check_model(settings(agent=f"{tmp_path / 'bench'},{tmp_path / 'basic'}"), {})
    assert model.status == "problem"
    (fine,) = check_agents(str(SAMPLES / "basic"), None, {})
    assert fine.status == "ok"


def test_a_folder_whose_first_agent_is_broken_is_served_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "a_broken").mkdir()
    (tmp_path / "a_broken" / "agent.py").write_text("1/0")
    only_broken = settings(agent=str(tmp_path))
    (model,) = check_model(only_broken, {})
    assert (model.status, "division by zero" in model.text) == ("problem", True)
    assert check_agents(str(tmp_path), None, {}) == []
    shutil.copytree(SAMPLES / "basic", tmp_path / "basic")
    (model,) = check_model(settings(agent=str(tmp_path)), {})
    (broken,) = check_agents(str(tmp_path), None, {})
    assert (model.status, broken.status) == ("ok", "warning")
    assert "division by zero" in broken.text


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "status"),
    [
        (0o755, 0o644, "warning"),
        (0o750, 0o640, "warning"),
        (0o755, 0o600, "ok"),
        (0o700, 0o644, "ok"),
    ],
)
def test_conversations_that_others_can_read_are_a_warning(
    tmp_path: Path, folder_mode: int, file_mode: int, status: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "memory.db").write_text("")
    (folder / "memory.db").chmod(file_mode)
    folder.chmod(folder_mode)
    (finding,) = check_privacy(folder)
    assert finding.status == status
    assert ("memory.db" in finding.text) == (status == "warning")
    assert (folder / "memory.db").stat().st_mode & 0o777 == file_mode


def test_a_folder_that_is_not_made_yet_is_private(tmp_path: Path) -> None:
    (finding,) = check_privacy(tmp_path / "none")
    assert finding.status == "ok"
    assert not (tmp_path / "none").exists()
