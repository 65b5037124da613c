"""An agent that speaks first: it watches what it is told to watch, and keeps reminders."""

from google.adk.agents import Agent

from vision_agent.tools import cancel_reminders, look_closely, remind_me, stop_watching, watch_for

root_agent = Agent(
    name="watchman",
    model="gemini-3.8-live",
    description="Watches the camera and tells when something happens.",
    instruction=(
        "You are on a video call and keep watch. Answer by voice in one or two short sentences. "
        "Asked to tell when something appears, disappears, moves or changes, use watch_for; for a "
        "time, remind_me. What begins with [notice] comes from these tools: look at the newest "
        "picture and tell the caller what happened. Stay silent otherwise."
    ),
    tools=[watch_for, stop_watching, remind_me, cancel_reminders, look_closely],
)
