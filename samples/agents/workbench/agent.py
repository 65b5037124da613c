"""An agent with tools of its own and tools of an MCP server, which runs as its child process."""

import sys
from pathlib import Path
from typing import Literal

from google.adk.agents import Agent
from google.adk.tools.mcp_tool import StdioConnectionParams
from google.adk.tools.mcp_tool.mcp_toolset import McpToolset
from mcp import StdioServerParameters

from vision_agent.tools import look_closely, point_at

MILLIMETRES = {"millimetres": 1.0, "centimetres": 10.0, "inches": 25.4, "feet": 304.8}


Unit = Literal["millimetres", "centimetres", "inches", "feet"]


def convert_length(value: float, unit: Unit, to: Unit) -> dict[str, object]:
    """Convert a length from one unit to another.

    Args:
        value: How many of them.
        unit: The unit that the length is in.
        to: The unit to convert to.
    """
    return {"length": round(value * MILLIMETRES[unit] / MILLIMETRES[to], 2), "unit": to}


stock = McpToolset(
    connection_params=StdioConnectionParams(
        server_params=StdioServerParameters(
            command=sys.executable, args=[str(Path(__file__).with_name("stock_server.py"))]
        ),
        timeout=30,
    )
)

root_agent = Agent(
    name="workbench",
    model="gemini-3.8-live",
    description="Helps at the workbench: recognises parts, converts lengths, knows the stock.",
    instruction=(
        "You are on a video call with somebody at a workbench. Answer by voice in one to three "
        "short sentences. Look closely before you name a small part, point at what you mean, "
        "convert lengths with convert_length, and ask check_stock what is in stock."
    ),
    tools=[look_closely, point_at, convert_length, stock],
)
