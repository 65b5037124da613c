"""A WebRTC call whose ADK agents are answered for by a language model: tools, transfer, frames."""

from __future__ import annotations

from typing import Any

from tests.conftest import RECORDINGS, serving
from tests.support.chat_server import Call, Step, chat_server, error
from tests.support.samples import SAMPLES
from vision_agent import CallClient


def said_last(request: dict[str, Any]) -> str:
    """The user's newest words, or the newest result."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def answers(request: dict[str, Any]) -> list[Step]:
    """What a model might say as each of the agents of samples/agents/front_desk."""
    instruction, newest = request["messages"][0]["content"], said_last(request)
    if "euros" in newest:
        return ["That is forty euros."]
    if "fault" in newest:
        return [error(404, "model 'tiny' not found")]
    if 'internal name is "repairs"' in instruction:
        if "costs" in newest:
            return [Call("repair_price", '{"item": "bicycle"}')]
        return ["Repairs here."]
    if "repairs" in newest:
        return [Call("transfer_to_agent", '{"agent_name": "repairs"}')]
    return ["Welcome. How can I help?"]


async def test_agents_hand_over_use_tools_and_are_shown_the_camera() -> None:
    async with chat_server() as brain:
        brain.answers = answers
        agent = str(SAMPLES / "front_desk")
        async with (
            serving("--agent", agent, "--brain", brain.url) as server,
            CallClient(server.url, show=RECORDINGS / "bottle.mp4") as call,
        ):
            assert any(f"Brain: the model at {brain.url[7:-3]}" in line for line in server.says)
            assert (await call.type("hello")).text == "Welcome. How can I help?"
            shown = brain.requests[0]["messages"][-1]["content"]
            assert [part["type"] for part in shown] == ["text", "image_url"]
            assert (await call.type("let me talk to repairs")).text == "Repairs here."
            assert (await call.type("what costs my bicycle?")).text == "That is forty euros."
            asked = RECORDINGS / "speech" / "what-colour-is-this.wav"
            assert (await call.say(asked)).text == "Repairs here."
            assert "this" in said_last(brain.requests[-1]).lower()
            assert "has no model tiny" in (await call.type("fault")).text
            assert (await call.type("hello")).text == "Repairs here."
    used = [tool.name for tool in call.tool_calls]
    assert used == ["transfer_to_agent", "repair_price"]
