"""The agent of a server for which none was configured."""

from __future__ import annotations

from google.adk.agents.llm_agent import LlmAgent

from vision_agent.tools import (
    cancel_reminders,
    clear_points,
    load_memory,
    look_closely,
    point_at,
    remind_me,
    stop_watching,
    watch_for,
)

INSTRUCTION = """\
You are on a video call. You see the caller's camera, about one picture a second, and hear them.
Answer by voice: one to three short sentences, in the caller's language, no lists, no markdown.
Talk about what is in the newest picture. If it is too dark, blurred or empty to tell, say so and
say what would help. Never claim to see what you do not see.
Read small print only after look_closely. Asked where something is, use point_at besides saying it.
Asked to tell when something happens, use watch_for, and remind_me for a time. What begins with
[notice] comes from these tools, not from the caller: tell the caller about it. For what was said in
earlier calls, use load_memory.
"""


def default_agent() -> LlmAgent:
    """An agent that sees, listens, and answers briefly."""
    return LlmAgent(
        name="vision_agent",
        description="Sees the caller's camera and talks about it.",
        instruction=INSTRUCTION,
        tools=[
            look_closely,
            point_at,
            clear_points,
            watch_for,
            stop_watching,
            remind_me,
            cancel_reminders,
            load_memory,
        ],
    )
