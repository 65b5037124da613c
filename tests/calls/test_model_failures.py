"""A failure of the model's side leaves a line in the log and a count, and the caller is told."""

import asyncio

from tests.support.dialling import Dialled
from tests.support.forked_product import ForkedServer
from tests.support.messages import said
from tests.support.metrics import metrics

AGENT = """
from google.adk.agents import Agent
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.mcp_tool.mcp_toolset import McpToolset, StdioConnectionParams
from google.genai import types
from mcp import StdioServerParameters

no_server = StdioConnectionParams(server_params=StdioServerParameters(command="/no/such/server"))


class Shelf(BaseToolset):
    async def get_tools(self, readonly_context=None):
        raise ConnectionError("the shelf is not there")


def skip(callback_context):
    return types.Content(role="model", parts=[types.Part(text="Not now.")])


def fail(callback_context):
    raise ValueError("my bank code is 4711")


root_agent = Agent(name="keeper", instruction="You keep.", {arguments})
"""

SCENARIO = "engine: false\nanswers: []\notherwise: {say: Hello.}\n"


async def failures(server: ForkedServer, kind: str) -> float:
    counted = await asyncio.to_thread(metrics, server.url)
    return counted.get(f'vision_agent_model_failures_total{{kind="{kind}"}}', 0)


def served(tmp_path, arguments: str) -> tuple[str, ...]:
    (tmp_path / "keeper").mkdir()
    (tmp_path / "keeper" / "agent.py").write_text(AGENT.format(arguments=arguments))
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return "--agent", str(tmp_path / "keeper"), "--scenario", str(tmp_path / "scenario.yaml")


async def test_a_toolset_that_does_not_load_is_told_in_each_call_and_the_call_goes_on(tmp_path):
    log = tmp_path / "log"
    arguments = served(tmp_path, "tools=[Shelf(tool_name_prefix='shelf')]")
    async with ForkedServer(*arguments, stderr_to=log) as server:
        for calls in (1, 2):
            caller = Dialled(server.url)
            await caller.connect()
            error = await caller.wait_for(lambda m: m["type"] == "error")
            assert "Shelf 'shelf' are not available" in error["data"]["error"]
            assert not error["data"]["fatal"]
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: said(m) == "Hello.")
            assert len([m for m in caller.messages if m["type"] == "error"]) == 1
            await caller.hang_up()
            assert await failures(server, "toolset") == calls
    text = " ".join(log.read_text().split())
    assert "The toolset Shelf 'shelf' does not load" in text
    assert "the shelf is not there" in text


async def test_an_mcp_server_that_is_missing_is_told_like_any_other_toolset(tmp_path):
    log = tmp_path / "log"
    arguments = served(tmp_path, "tools=[McpToolset(connection_params=no_server)]")
    async with ForkedServer(*arguments, stderr_to=log) as server:
        caller = Dialled(server.url)
        await caller.connect()
        error = await caller.wait_for(lambda m: m["type"] == "error")
        assert "McpToolset are not available" in error["data"]["error"]
        assert not error["data"]["fatal"]
        caller.send("send-text", {"content": "hello"})
        await caller.wait_for(lambda m: said(m) == "Hello.")
        await caller.hang_up()
        assert await failures(server, "toolset") == 1
    text = " ".join(log.read_text().split())
    assert text.count("WARNING") == 1
    assert "The toolset McpToolset does not load" in text
    assert "/no/such/server" in text


async def test_an_agent_whose_code_fails_is_in_the_log_once_and_counted(tmp_path):
    log = tmp_path / "log"
    arguments = served(tmp_path, "before_agent_callback=fail")
    async with ForkedServer(*arguments, stderr_to=log) as server:
        caller = Dialled(server.url)
        await caller.connect()
        error = await caller.wait_for(lambda m: m["type"] == "error")
        assert "The agent failed (ValueError)" in error["data"]["error"]
        await caller.peer.close()
        assert await failures(server, "agent") == 1
    text = " ".join(log.read_text().split())
    assert text.count("A call's model side failed (agent)") == 1
    assert "in fail" in text
    assert "4711" not in text.replace('raise ValueError("my bank code is 4711")', "")


async def test_an_agent_that_ends_its_run_at_once_ends_the_call_with_a_reason(tmp_path):
    async with ForkedServer(*served(tmp_path, "before_agent_callback=skip")) as server:
        caller = Dialled(server.url)
        await caller.connect()
        ended = await caller.wait_for(lambda m: m.get("data", {}).get("state") == "ended")
        assert ended["data"]["reason"] == "the model ended the conversation"
        assert await failures(server, "agent") == 0
        await caller.peer.close()
