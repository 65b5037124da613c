"""The smallest agent worth calling: it looks, listens, answers, and has one tool."""

from datetime import datetime

from google.adk.agents import Agent


def get_current_time() -> dict[str, str]:
    """Tell the current time and date."""
    now = datetime.now()
    return {"time": now.strftime("%H:%M"), "date": now.strftime("%A, %d %B %Y")}


root_agent = Agent(
    name="basic",
    model="gemini-3.8-live",
    description="Looks at what the caller shows and talks about it.",
    instruction=(
        "You are on a video call. Answer by voice in one to three short sentences about what you "
        "see in the newest picture. For the time or the date, use get_current_time."
    ),
    tools=[get_current_time],
)
