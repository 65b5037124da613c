"""The agent that the soak calls: its tool takes a moment, and never returns the same twice."""

import asyncio
import itertools

from google.adk.agents import Agent

_readings = itertools.count(1001)


async def measure() -> dict[str, int]:
    """Measure it; takes a moment."""
    reading = next(_readings)
    await asyncio.sleep(0.2 + reading % 4 / 4)
    return {"reading": reading}


root_agent = Agent(name="soak", model="gemini-3.8-live", instruction="Answer.", tools=[measure])
