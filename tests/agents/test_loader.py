import sys

import pytest
from google.adk.agents import BaseAgent, LlmAgent, LoopAgent, ParallelAgent, SequentialAgent
from google.adk.events.event import Event
from google.adk.tools.function_tool import FunctionTool

from vision_agent.agents.fit import misfits
from vision_agent.agents.loader import AgentError, agent_specs, llm_agents, load_agent, root_of

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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "int is not an ADK agent"),
        (sys, "module is not an ADK agent"),
        (LlmAgent, "The class LlmAgent is not an ADK agent"),
        ({"shop": "agents/shop"}, "dict is not an ADK agent"),
        (lambda: None, "function is not an ADK agent"),
        ([], "there is none"),
        ([LlmAgent(name="a"), None], "one is None"),
    ],
)
def test_what_a_program_gives_that_is_no_agent_is_refused_in_words(given, words):
    with pytest.raises(AgentError, match=words):
        [load_agent(each.spec) for each in agent_specs(given)]


def test_several_agents_are_given_in_any_collection():
    agents = [LlmAgent(name="a"), LlmAgent(name="b")]
    for given in (agents, tuple(agents), iter(agents), dict(enumerate(agents)).values()):
        assert [each.spec for each in agent_specs(given)] == agents


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
        ("raise SystemExit(3)", r"its code exits \(3\)"),
    ],
)
def test_a_broken_folder_is_refused_with_its_own_error(tmp_path, text, words):
    with pytest.raises(AgentError, match=words):
        load_agent(str(folder(tmp_path, f"broken{len(text)}", text)))


def test_a_module_that_exits_is_refused_and_ends_nothing(tmp_path, monkeypatch):
    (tmp_path / "exiting.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AgentError, match=r"its code exits \(3\)"):
        load_agent("exiting:root_agent")


def test_an_agent_in_yaml_is_loaded_as_adk_web_loads_it(tmp_path):
    for name in ("keeper", "helper"):
        (tmp_path / name).mkdir()
        text = f"name: {name}\nmodel: gemini-3.8-live\ninstruction: Be brief.\n"
        (tmp_path / name / "root_agent.yaml").write_text(text)
    assert [load_agent(each.spec).root_agent.name for each in agent_specs(tmp_path)] == [
        "helper",
        "keeper",
    ]


class Unlive(BaseAgent):
    """A custom agent that runs in `adk run` only."""


class Live(BaseAgent):
    """A custom agent that also runs live."""

    async def _run_live_impl(self, ctx):
        yield Event(author=self.name)


@pytest.mark.parametrize("kind", [LoopAgent, ParallelAgent, Unlive])
def test_an_agent_that_adk_cannot_run_live_is_refused_and_below_another_named(kind):
    with pytest.raises(AgentError, match=f"'other' is a {kind.__name__}, which ADK can't run"):
        root_of(load_agent(kind(name="other")))
    above = LlmAgent(name="above", model="gemini-3.8-live", sub_agents=[kind(name="other")])
    assert root_of(load_agent(above)) is above
    (said,) = misfits(above, local=True)
    assert f"'other' is a {kind.__name__}" in said


def test_a_sequence_runs_live_if_all_of_its_agents_do():
    steps = [LlmAgent(name="first"), LlmAgent(name="second")]
    assert root_of(load_agent(SequentialAgent(name="steps", sub_agents=steps))).name == "steps"
    broken = SequentialAgent(name="inner", sub_agents=[LoopAgent(name="again")])
    with pytest.raises(AgentError, match="'outer' is a SequentialAgent, which ADK can't run"):
        root_of(load_agent(SequentialAgent(name="outer", sub_agents=[broken])))


class Thing:
    """A type that no JSON schema describes."""


def takes(thing: Thing) -> str:
    """Takes something."""
    return str(thing)


@pytest.mark.parametrize("tool", [takes, FunctionTool(takes)])
def test_a_tool_that_no_model_can_be_told_of_is_refused_with_its_reason(tool):
    below = LlmAgent(name="below", tools=[len, tool])
    with pytest.raises(AgentError, match=r"the tool 'takes' of the agent 'below': .*Thing"):
        root_of(load_agent(LlmAgent(name="above", sub_agents=[below])))


def test_an_agent_of_ones_own_that_runs_live_is_taken():
    assert root_of(load_agent(Live(name="own"))).name == "own"


@pytest.mark.parametrize("spec", ["no/such/folder", "nomodule:agent", "os:nothing", "os:sep"])
def test_what_is_no_agent_is_refused_in_words(spec):
    with pytest.raises(AgentError):
        load_agent(spec)


def test_a_folder_without_agent_py_says_what_belongs_there(tmp_path):
    with pytest.raises(AgentError, match=r"agent\.py"):
        load_agent(str(tmp_path))
