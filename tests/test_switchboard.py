"""Which agents a server has, and that ADK's own tools open the samples too."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.adk.cli.utils.agent_loader import AgentLoader

from vision_agent.agents import AgentError, agent_specs
from vision_agent.settings import Settings
from vision_agent.switchboard import Switchboard, UnknownAgent

SAMPLES = Path(__file__).parent.parent / "samples" / "agents"
SAMPLE_NAMES = sorted(file.parent.name for file in SAMPLES.glob("*/agent.py"))


def test_several_agents_are_named_with_commas_or_by_their_folder(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text("")
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert agent_specs(str(tmp_path)) == both
    assert agent_specs(f"{tmp_path / 'a'}, some.module:agent,") == [both[0], "some.module:agent"]
    assert agent_specs(str(tmp_path / "a")) == [both[0]]
    assert agent_specs(None) == [None]
    assert agent_specs(" , ") == [None]


def test_two_agents_of_one_name_are_refused(tmp_path):
    for parent in ("one", "two"):
        shutil.copytree(SAMPLES / "basic", tmp_path / parent / "basic")
    spec = f"{tmp_path / 'one' / 'basic'},{tmp_path / 'two' / 'basic'}"
    with pytest.raises(AgentError, match="Two agents are called 'basic'"):
        Switchboard(Settings(agent=spec))


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(UnknownAgent, match="only vision_agent"):
        Switchboard(Settings()).find("nobody")


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_adk_loads_the_samples_as_they_are(name):
    assert AgentLoader(str(SAMPLES)).load_agent(name) is not None


def test_adk_run_opens_a_sample_with_our_tools():
    done = subprocess.run(
        [sys.executable, "-m", "google.adk.cli", "run", str(SAMPLES / "watchman")],
        input="exit\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Running agent watchman" in done.stdout
