"""What an agent can do in a video call: plain ADK tools, for anybody's agent.

    from vision_agent.tools import look_closely, point_at, watch_for

    root_agent = Agent(..., tools=[look_closely, point_at, watch_for])

They find the call they run in by themselves (`call_context.py`). Where there is none, in `adk web`
for example, they say so in their result. Nothing in here knows of WebRTC, nor of the Live API.
"""

from vision_agent.tools.look import look_closely
from vision_agent.tools.point import clear_points, point_at
from vision_agent.tools.recall import load_memory
from vision_agent.tools.remind import cancel_reminders, remind_me
from vision_agent.tools.watch import stop_watching, watch_for

__all__ = [
    "cancel_reminders",
    "clear_points",
    "load_memory",
    "look_closely",
    "point_at",
    "remind_me",
    "stop_watching",
    "watch_for",
]
