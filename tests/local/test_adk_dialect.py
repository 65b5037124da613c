"""The local Live API knows the phrases that the installed ADK writes, each made by ADK's code."""

from __future__ import annotations

import pytest
from google.adk.agents import Agent
from google.adk.events import Event
from google.adk.flows.llm_flows import contents
from google.adk.flows.llm_flows.agent_transfer import _build_transfer_instructions
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.load_memory_tool import LoadMemoryResponse
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool
from google.genai import types

from vision_agent.live.media import shown_apart
from vision_agent.local import adk_dialect


def test_the_tool_for_handing_over_has_its_name_and_its_argument() -> None:
    declared = TransferToAgentTool(agent_names=["clock"])._get_declaration()
    assert declared is not None
    assert declared.name == adk_dialect.TRANSFER
    schema = declared.parameters_json_schema or declared.parameters.model_dump()
    assert adk_dialect.TRANSFER_TO in schema["properties"]


def test_memory_gives_its_findings_back_in_the_field_that_is_read() -> None:
    assert adk_dialect.MEMORIES in LoadMemoryResponse.model_fields


def test_what_another_agent_said_is_no_question() -> None:
    event = Event(author="clock", content=types.ModelContent("It is noon."))
    told = contents._present_other_agent_message(event)
    assert told is not None
    assert told.content is not None
    assert adk_dialect.is_context("".join(part.text or "" for part in told.content.parts or ()))
    assert not adk_dialect.is_context("What time is it?")


def test_the_words_beside_the_pictures_of_tools_ask_nothing() -> None:
    picture = types.FunctionResponsePart.from_bytes(data=b"\xff\xd8\xff", mime_type="image/jpeg")
    parts = [
        types.Part(function_response=types.FunctionResponse(name=name, parts=[picture]))
        for name in ("look_closely", "scan")
    ]
    _, shown = shown_apart(types.Content(role="user", parts=parts))
    assert shown is not None
    words = [part.text for part in shown.parts or () if part.text]
    assert adk_dialect.shows_result("\n".join(words))
    assert not adk_dialect.shows_result("What has given this picture?")
    assert not adk_dialect.shows_result("")


def test_the_instruction_of_an_agent_describes_those_it_can_hand_over_to() -> None:
    clock = Agent(name="clock", description="Knows the time.")
    guide = Agent(name="guide", sub_agents=[clock])
    instruction = _build_transfer_instructions(adk_dialect.TRANSFER, guide, [clock])
    assert adk_dialect.described_agents(instruction) == {"clock": "Knows the time."}


def test_a_docstring_is_what_the_tool_does_and_what_its_arguments_are() -> None:
    def dim(percent: int) -> str:
        """Dims the lamp.

        Args:
            percent: How bright it is.

        Returns:
            What was done.
        """
        return str(percent)

    declared = FunctionTool(dim)._get_declaration()
    assert declared is not None
    what, arguments = adk_dialect.read_docstring(declared.description or "")
    assert (what, arguments) == ("Dims the lamp.", {"percent": "How bright it is."})


@pytest.mark.parametrize(("text", "only_asks"), [(".", True), (" ", True), ("Yes.", False)])
def test_a_lone_full_stop_asks_for_the_answer_that_is_due(text: str, only_asks: bool) -> None:
    assert adk_dialect.asks_for_answer(text) is only_asks
