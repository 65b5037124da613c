"""A model that transfers to an agent that can't take over keeps the conversation."""

import logging

import pytest
from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.agents.loop_agent import LoopAgent
from google.adk.agents.parallel_agent import ParallelAgent
from google.adk.agents.sequential_agent import SequentialAgent

from tests.live.tools.talking import GOING_ON, WAITING, talking
from vision_agent.live.events import AgentToolResult, AgentTranscript
from vision_agent.local.contract import Say, ToolRequest


def idle() -> str:
    """Is not called here."""
    return ""


def hands_to(name: str):
    def answers(turn):
        if turn.tool_results:
            return [Say(" ".join(map(str, turn.tool_results[-1]["response"].values())))]
        if "hand" in turn.text:
            return [ToolRequest("transfer_to_agent", {"agent_name": name})]
        return [Say(f"You said {turn.text}.")]

    return answers


OTHERS = {
    "BaseAgent": lambda: BaseAgent(name="other"),
    "LoopAgent": lambda: LoopAgent(name="other"),
    "ParallelAgent": lambda: ParallelAgent(name="other"),
    "SequentialAgent": lambda: SequentialAgent(name="other", sub_agents=[LoopAgent(name="again")]),
    "LlmAgent": lambda: LlmAgent(name="another"),  # the model has misspelt it
}


@pytest.mark.parametrize("model", [WAITING[0], GOING_ON])
@pytest.mark.parametrize("other", OTHERS)
async def test_an_agent_that_cannot_take_over_is_not_handed_the_conversation(model, other, caplog):
    below = [OTHERS[other]()]
    with caplog.at_level(logging.WARNING, "vision_agent"):
        async with talking(model, idle, sub_agents=below) as (talk, engine):
            engine.answers = hands_to("other")
            talk.live_queue.text("hand me over")
            assert "can't take over here" in (await talk.result())["error"]
            talk.live_queue.text("hello")
            await talk.said("You said hello.")
    assert talk.connects == 1
    (said,) = [each.message for each in caplog.records if "handed" in each.message]
    assert "'other'" in said


@pytest.mark.parametrize("model", [WAITING[0], GOING_ON])
async def test_a_callback_may_refuse_a_transfer_itself(model):
    def refuses(tool, args, tool_context):
        return {"busy": "Nobody is free."} if tool.name == "transfer_to_agent" else None

    below = [LlmAgent(name="other")]
    callbacks = {"before_tool_callback": refuses, "sub_agents": below}
    async with talking(model, idle, **callbacks) as (talk, engine):
        engine.answers = hands_to("other")
        talk.live_queue.text("hand me over")
        await talk.said("Nobody is free.")
    assert talk.connects == 1


@pytest.mark.parametrize("model", [WAITING[0], GOING_ON])
async def test_a_callback_that_changes_its_result_stops_no_transfer(model):
    def notes(tool, args, tool_context, tool_response):
        return {"noted": True}

    below = [LlmAgent(name="other")]
    callbacks = {"after_tool_callback": notes, "sub_agents": below}
    async with talking(model, idle, **callbacks) as (talk, engine):
        engine.answers = hands_to("other")
        talk.live_queue.text("hand me over")
        await talk.until(lambda each: isinstance(each, AgentToolResult))
        talk.live_queue.text("hello")
        await talk.until(lambda each: isinstance(each, AgentTranscript) and each.author == "other")
    assert talk.connects == 2
