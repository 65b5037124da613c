"""The agents that a server has; ADK's own tools open the samples too."""

import asyncio
import os
import shutil
import sys

import pytest
from google.adk.cli.utils.agent_loader import AgentLoader
from google.adk.events.event import Event
from google.genai import types

from tests.support.forked import start_forked
from tests.support.samples import SAMPLE_NAMES, SAMPLES
from vision_agent.agents.directory import AgentDirectory, UnknownAgent
from vision_agent.agents.loader import AgentError, agent_specs
from vision_agent.server.options import agent_options
from vision_agent.settings import Settings


def test_several_agents_are_named_with_commas_or_by_their_folder(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text("")
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    named = [(both[0], True), ("some.module:agent", True)]
    assert agent_specs(str(tmp_path)) == [(each, False) for each in both]
    assert agent_specs(f"{tmp_path / 'a'}, some.module:agent,") == named
    assert agent_specs(str(tmp_path / "a")) == named[:1]
    assert agent_specs(None) == [(None, True)]
    assert agent_specs(" , ") == [(None, True)]


def test_two_agents_of_one_name_are_refused(tmp_path):
    for parent in ("one", "two"):
        shutil.copytree(SAMPLES / "basic", tmp_path / parent / "basic")
    spec = f"{tmp_path / 'one' / 'basic'},{tmp_path / 'two' / 'basic'}"
    with pytest.raises(AgentError, match="Two agents are called 'basic'"):
        AgentDirectory(agent_options(Settings(agent=spec)))


NEEDS_MCP = "from mcp import StdioServerParameters"
NOT_LIVE = """
from google.adk.agents import Agent
root_agent = Agent(name="x", model="gemini-2.0-flash")
"""


@pytest.fixture
def no_mcp(monkeypatch):
    """Without the MCP package, as after `make run`, which installs no extra for it."""
    monkeypatch.setitem(sys.modules, "mcp", None)


def folder_of(tmp_path, **sources):
    shutil.copytree(SAMPLES / "basic", tmp_path / "basic")
    for name, source in sources.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text(source)
    return str(tmp_path)


def test_an_agent_of_a_folder_that_cannot_be_loaded_is_left_out_in_words(tmp_path, no_mcp, caplog):
    there = folder_of(tmp_path, bad_bench=NEEDS_MCP, bad_code="1/0")
    assert list(AgentDirectory(agent_options(Settings(agent=there))).hosts) == ["basic"]
    told = [text for text in caplog.messages if "left out" in text]
    assert len(told) == 2
    assert any("pip install 'adk-video-call[mcp]'" in text for text in told)
    assert any("division by zero" in text for text in told)


def test_an_agent_without_a_live_model_is_left_out_where_there_is_a_key(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza" + "x" * 35)
    there = folder_of(tmp_path, written=NOT_LIVE)
    assert list(AgentDirectory(agent_options(Settings(agent=there))).hosts) == ["basic"]
    assert "gemini-2.0-flash" in caplog.text


def test_an_agent_that_is_named_itself_has_to_be_usable(tmp_path, no_mcp):
    there = folder_of(tmp_path, bad_bench=NEEDS_MCP)
    with pytest.raises(AgentError, match=r"adk-video-call\[mcp\]"):
        AgentDirectory(agent_options(Settings(agent=f"{there}/basic,{there}/bad_bench")))


def test_a_folder_of_which_none_can_be_loaded_is_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text("1/0")
    with pytest.raises(AgentError, match="division by zero"):
        AgentDirectory(agent_options(Settings(agent=str(tmp_path))))


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(UnknownAgent, match="only vision_agent"):
        AgentDirectory(agent_options(Settings())).find("nobody")


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_adk_loads_the_samples_as_they_are(name):
    assert AgentLoader(str(SAMPLES)).load_agent(name) is not None


@pytest.mark.programs
async def test_adk_run_opens_a_sample_with_our_tools():
    process = await start_forked(
        *(sys.executable, "-m", "google.adk.cli", "run", str(SAMPLES / "watchman")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        printed, complained = await process.communicate(b"exit\n")
    assert process.returncode == 0, complained.decode()
    assert b"Running agent watchman" in printed


AGENT = """
import asyncio

from google.adk.agents import Agent
from google.adk.apps import App
from google.adk.plugins.base_plugin import BasePlugin


class Stubborn(BasePlugin):
    async def close(self):
        {how}


root_agent = Agent(name="{name}", instruction="Be.")
app = App(name="{name}", root_agent=root_agent, plugins=[Stubborn(name="stubborn")])
"""


@pytest.mark.parametrize(
    "how",
    [
        'raise ValueError("no")',
        "raise asyncio.CancelledError",
        "await asyncio.Event().wait()",
    ],
)
async def test_an_agent_that_does_not_close_keeps_nobody_from_being_written(
    tmp_path, caplog, monkeypatch, how
):
    monkeypatch.setattr("vision_agent.closing.CLOSE_WITHIN_S", 0.5)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text(AGENT.format(name=name, how=how))
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    agents = AgentDirectory(
        agent_options(
            Settings(
                agent=str(tmp_path), data_dir=tmp_path / "data", scenario=scenario, model="local"
            )
        )
    )
    await agents.start()
    local = agents._local
    tokens = {}
    for name, host in agents.hosts.items():
        lease = await host.store.begin(None)
        tokens[name] = lease.token
        session = await host.store.get_session(
            app_name=name, user_id=lease.user_id, session_id=lease.session_id
        )
        words = types.Content(role="user", parts=[types.Part(text=f"I am {name}'s.")])
        said = Event(author="user", content=words)
        await host.store.append_event(session, said)
        host.store.end(lease)
    await agents.close()
    assert caplog.text.count("Closing the agent") == 2
    with pytest.raises(ProcessLookupError):
        os.kill(local.pid, 0)
    for name, token in tokens.items():
        again = AgentDirectory(
            agent_options(Settings(agent=str(tmp_path / name), data_dir=tmp_path / "data"))
        )
        await again.default.store.start()
        resumed = await again.default.store.begin(token)
        assert [line.text for line in resumed.earlier] == [f"I am {name}'s."]
        await again.default.flush()
