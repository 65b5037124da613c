"""Plain ADK tools for a video call, for any ADK agent.

    from vision_agent.tools import look_closely, point_at, watch_for

    root_agent = Agent(..., tools=[look_closely, point_at, watch_for])

The tools find the call they run in by themselves (`call_context.py`). Outside a call, in `adk web`
for example, their result says that there is no call. Nothing in this package depends on WebRTC or
the Live API.
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
