"""`load_memory`: what was said in the caller's earlier calls.

ADK's own tool of this name gives the model the `repr` of the memory's Python objects. This tool
gives it the lines that were said.
"""

from __future__ import annotations

from typing import Annotated

from google.adk.tools.tool_context import ToolContext
from pydantic import Field

from vision_agent.tools.call_context import Result, error

NOTHING = "Nothing like that was said in earlier calls."


async def load_memory(
    query: Annotated[str, Field(description="Words of what is looked for; none for the newest")],
    tool_context: ToolContext,
) -> Result:
    """Load from memory what was said in earlier calls with this caller, by you and by them."""
    try:
        found = await tool_context.search_memory(query)
    except ValueError:  # raised by ADK if the runner has no memory service
        return error("There is no memory here.")
    except OSError:  # the memory's file or service does not answer; includes a timeout
        return error("What was said in earlier calls can't be looked up at the moment.")
    lines = [
        {
            "who": "the caller" if entry.author == "user" else "you",
            "when": entry.timestamp or "",
            "said": " ".join(part.text for part in entry.content.parts or [] if part.text),
        }
        for entry in found.memories
    ]
    if not lines:
        return {"status": NOTHING}
    callers = [line["said"] for line in lines if line["who"] == "the caller"]
    newest = f"In an earlier call you said: {callers[-1].rstrip('.')}." if callers else ""
    return {"memories": lines, **({"status": newest} if newest else {})}
