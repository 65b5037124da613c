"""An agent whose only tool blocks its thread for 1.5 s."""

import time

from google.adk.agents.llm_agent import LlmAgent


def search() -> dict[str, str]:
    """Search the library."""
    time.sleep(1.5)
    return {"found": "a bottle"}


# This model goes on talking while a tool runs, so that there is something to interrupt.
root_agent = LlmAgent(name="slow", model="gemini-3.8-live", tools=[search])
