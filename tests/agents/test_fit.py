"""Agents written for other uses than a call: settings without effect are named, not refused."""

from pathlib import Path

import pytest
from google.adk.agents import LlmAgent
from google.adk.code_executors import BuiltInCodeExecutor
from google.adk.planners import PlanReActPlanner
from google.adk.tools import (
    AgentTool,
    FunctionTool,
    enterprise_web_search,
    google_maps_grounding,
    google_search,
    url_context,
)
from pydantic import BaseModel

from tests.support.forked_product import ForkedServer
from vision_agent import CallClient
from vision_agent.agents.fit import misfits, remove_service_tools
from vision_agent.agents.model_choice import choose_model, install_model
from vision_agent.doctor.install_checks import check_agents


class Form(BaseModel):
    answer: str


def agent(**given) -> LlmAgent:
    return LlmAgent(name="written", **{"model": "gemini-3.8-live", **given})


@pytest.mark.parametrize(
    "tool", [google_search, url_context, enterprise_web_search, google_maps_grounding]
)
def test_a_tool_of_the_service_is_said_to_be_missing_offline_only(tool) -> None:
    searching = agent(tools=[tool])
    (said,) = misfits(searching, local=True)
    assert tool.name in said
    assert list(misfits(searching, local=False)) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "gemini-2.0-flash"}, "'gemini-2.0-flash', which is not a live model"),
        ({"output_schema": Form}, "output_schema"),
        ({"planner": PlanReActPlanner()}, "planner"),
        ({"output_key": "said"}, "output_key"),
        (
            {"tools": [FunctionTool(len, require_confirmation=True)]},
            "the tool len, which waits for a confirmation",
        ),
        (
            {"tools": [AgentTool(LlmAgent(name="used", model="gemini-2.5-flash"))]},
            "'used' as a tool, whose model 'gemini-2.5-flash' is at Google",
        ),
        (
            {"tools": [AgentTool(LlmAgent(name="used", model="gemini-3.8-live"))]},
            "'used' as a tool, whose model 'gemini-3.8-live' is for calls only",
        ),
        ({"on_model_error_callback": lambda **_: None}, "on_model_error_callback"),
        ({"code_executor": BuiltInCodeExecutor()}, "code executed at Google only"),
        ({"sub_agents": [LlmAgent(name="below", tools=[google_search])]}, "'below'"),
    ],
)
def test_what_has_no_effect_in_a_call_is_said(given, words) -> None:
    (said,) = misfits(agent(**given), local=True)
    assert words in said


def test_a_planner_asks_for_no_tags_and_no_thinking_in_a_call() -> None:
    planning = agent(planner=PlanReActPlanner())
    choice = choose_model(planning, "local", {})
    install_model(choice, planning, None)
    assert planning.planner is None


def test_an_agent_made_for_calls_has_none() -> None:
    assert list(misfits(agent(tools=[len]), local=True)) == []


def test_the_agent_s_own_tools_stay() -> None:
    mixed = agent(tools=[google_search, len, url_context])
    remove_service_tools(mixed)
    assert mixed.tools == [len]


SEARCHING = """
from google.adk.agents import LlmAgent
from google.adk.code_executors import BuiltInCodeExecutor
from google.adk.tools import google_search
def get_price(thing: str) -> dict:
    "Say what a thing costs."
    return {"price": "three euros"}
root_agent = LlmAgent(
    name="searching", model="gemini-2.0-flash", tools=[google_search, get_price],
    code_executor=BuiltInCodeExecutor(),
)
"""


async def test_an_agent_that_searches_is_called_without_a_key(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(SEARCHING)
    log = tmp_path / "log"
    arguments = ("--agent", str(tmp_path))
    async with (
        ForkedServer(*arguments, stderr_to=log) as server,
        CallClient(server.url) as call,
    ):
        answer = await call.type("Get the price of a pencil.")
    assert "three euros" in answer.text
    for words in ("google_search", "not a live model", "code executed"):
        assert words in log.read_text()
    found = check_agents(str(tmp_path), None, {})
    assert {finding.status for finding in found} == {"note"}
    assert any("google_search" in finding.text for finding in found)
