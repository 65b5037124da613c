import sys

import pytest

from vision_agent.agents.loader import AgentError, llm_agents, load_agent

AGENT = """
from google.adk.agents import Agent
root_agent = Agent(name="shopkeeper", model="gemini-3.8-live", instruction="Sell.")
"""


@pytest.fixture(autouse=True)
def _forget_modules():
    before = set(sys.modules)
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def folder(tmp_path, name="shop", text=AGENT):
    path = tmp_path / name
    path.mkdir()
    (path / "agent.py").write_text(text)
    return path


def test_without_a_name_it_is_our_own_agent():
    assert load_agent(None).root_agent.name == "vision_agent"


def test_an_adk_folder_is_loaded_as_adk_web_loads_it(tmp_path):
    app = load_agent(str(folder(tmp_path)))
    assert app.root_agent.name == "shopkeeper"
    assert [a.name for a in llm_agents(app.root_agent)] == ["shopkeeper"]


def test_a_module_and_attribute_are_loaded_from_the_working_folder(tmp_path, monkeypatch):
    folder(tmp_path, "shopmod")
    monkeypatch.chdir(tmp_path)
    assert load_agent("shopmod.agent:root_agent").root_agent.name == "shopkeeper"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("root_agent = 3", "root_agent"),
        ("import does_not_exist_here", "does_not_exist_here"),
        ("1/0", "division by zero"),
    ],
)
def test_a_broken_folder_is_refused_with_its_own_error(tmp_path, text, words):
    with pytest.raises(AgentError, match=words):
        load_agent(str(folder(tmp_path, f"broken{len(text)}", text)))


@pytest.mark.parametrize("spec", ["no/such/folder", "nomodule:agent", "os:nothing", "os:sep"])
def test_what_is_no_agent_is_refused_in_words(spec):
    with pytest.raises(AgentError):
        load_agent(spec)


def test_a_folder_without_agent_py_says_what_belongs_there(tmp_path):
    with pytest.raises(AgentError, match=r"agent\.py"):
        load_agent(str(tmp_path))
