"""A conversation is transferred to the agent that is named, or whose description fits."""

from __future__ import annotations

from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool

from tests.local.engine.answers.declarations import (
    CLOCK,
    GUIDE,
    HAND_OVER,
    TOLD,
    WEATHER,
    declared,
    instruction,
)
from vision_agent.local.contract import ToolRequest
from vision_agent.local.engine.answers.agent_transfer import (
    greeting_if_asked_for,
    spoken_names,
    transfer_by_description,
    transfer_by_name,
)


def to(name: str) -> ToolRequest:
    return ToolRequest("transfer_to_agent", {"agent_name": name})


def test_another_agent_is_reached_by_its_name() -> None:
    for text in ("Let me talk to the weather expert.", "connect me to the weather expert please"):
        assert transfer_by_name(text, HAND_OVER, TOLD) == to("weather_expert")
    assert transfer_by_name("can I speak to the clock", HAND_OVER, TOLD) == to("clock")
    for text in ("let me talk to the manager", "the clock is ticking", "what time is it"):
        assert transfer_by_name(text, HAND_OVER, TOLD) is None
    assert transfer_by_name("let me talk to the clock", [], TOLD) is None


def test_another_agent_is_reached_by_what_it_is_said_to_do() -> None:
    assert transfer_by_description("what time is it", HAND_OVER, TOLD) == to("clock")
    assert transfer_by_description("how is the weather", HAND_OVER, TOLD) == to("weather_expert")
    assert transfer_by_description("who won the match", HAND_OVER, TOLD) is None
    # The clock itself does not transfer the question.
    back = [declared(TransferToAgentTool(["guide", "weather_expert"]))]
    told = instruction(CLOCK, [GUIDE, WEATHER])
    assert transfer_by_description("what time is it", back, told) is None
    assert transfer_by_name("go back to the guide", back, told) == to("guide")


def test_who_is_asked_for_and_answers_already_greets_instead_of_handing_over() -> None:
    back = [declared(TransferToAgentTool(["guide", "weather_expert"]))]
    told = instruction(CLOCK, [GUIDE, WEATHER])
    greeting = "Clock here. What can I do for you?"
    assert greeting_if_asked_for("Transfer me to the clock.", back, told) == greeting
    assert transfer_by_name("transfer me to the clock", back, told) is None
    assert greeting_if_asked_for("transfer me to the guide", back, told) is None
    assert greeting_if_asked_for("what time is it", back, told) is None
    assert greeting_if_asked_for("transfer me to the clock", back, "You help.") is None


def test_the_names_to_listen_for_are_those_of_the_others_and_ones_own() -> None:
    assert spoken_names(HAND_OVER, TOLD) == ("clock", "guide", "weather expert")
    assert spoken_names([declared(TransferToAgentTool(["r2d2"]))], TOLD) == ("guide",)
    assert spoken_names([], TOLD) == ()
