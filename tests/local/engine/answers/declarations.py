"""Tools and agents as ADK declares them in a setup message."""

from __future__ import annotations

import json
from typing import Any, Literal

from google.adk.agents import Agent
from google.adk.flows.llm_flows import agent_transfer
from google.adk.tools import FunctionTool
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool

from vision_agent import tools as call_tools


def declared(tool: Any) -> dict[str, Any]:
    """A tool as ADK declares it in the setup message."""
    tool = tool if hasattr(tool, "_get_declaration") else FunctionTool(tool)
    loaded: dict[str, Any] = json.loads(tool._get_declaration().model_dump_json(exclude_none=True))
    return loaded


def get_weather(city: str, unit: str = "celsius") -> dict[str, str]:
    """Look up the weather of a city.

    Args:
        city: Which city.
        unit: The unit of the temperature.

    Returns:
        What the weather is like.
    """
    return {"city": city, "unit": unit}


Unit = Literal["millimetres", "centimetres", "inches"]


def convert_length(value: float, unit: Unit, to: Unit) -> dict[str, object]:
    """Convert a length from one unit to another."""
    return {"value": value, "unit": unit, "to": to}


LAMP = {
    "name": "set_lamp",
    "description": "Switch the lamp.",
    "parameters": {
        "type": "OBJECT",
        "properties": {
            "room": {"type": "STRING", "enum": ["kitchen", "living room"]},
        },
        "required": ["room"],
    },
}
ORDER = {
    "name": "order_drink",
    "description": "Order a drink.",
    "parameters_json_schema": {
        "type": "object",
        "properties": {
            "drink": {"type": "string", "enum": ["coffee", "tea", "orange juice"]},
            "count": {"type": "integer"},
        },
        "required": ["drink", "count"],
    },
}
MAIL = {
    "name": "send_message",
    "description": "Send a message to somebody.",
    "parameters_json_schema": {
        "type": "object",
        "properties": {"subject": {"type": "string"}, "body": {"type": "string"}},
        "required": ["subject", "body"],
    },
}
TOOLS = [
    *(LAMP, ORDER, MAIL, declared(get_weather)),
    *(declared(getattr(call_tools, name)) for name in call_tools.__all__ if name.islower()),
]

CLOCK = Agent(name="clock", description="Knows the time.", model="any")
WEATHER = Agent(name="weather_expert", description="Answers questions about weather.", model="any")
GUIDE = Agent(name="guide", description="Greets people.", model="any", sub_agents=[CLOCK, WEATHER])


def instruction(agent: Agent, others: list[Agent]) -> str:
    own = f'You are an agent. Your internal name is "{agent.name}".'
    if agent.description:
        own += f' The description about you is "{agent.description}".'
    told = agent_transfer._build_transfer_instructions("transfer_to_agent", agent, others)
    return f"{own}\n\n{told}"


HAND_OVER = [declared(TransferToAgentTool(["clock", "weather_expert"]))]
TOLD = instruction(GUIDE, [CLOCK, WEATHER])
