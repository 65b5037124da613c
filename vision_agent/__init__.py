"""Video-call an AI agent: WebRTC in, ADK and the Live API behind it, the agent's voice out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision_agent.agents import AgentError
    from vision_agent.app import create_app
    from vision_agent.brain import live_brain
    from vision_agent.call import Call
    from vision_agent.live.models import ModelError
    from vision_agent.settings import IceServer, Settings
    from vision_agent.talk.client import Answer, CallClient
    from vision_agent.version import __version__

__all__ = [
    "AgentError",
    "Answer",
    "Call",
    "CallClient",
    "IceServer",
    "ModelError",
    "Settings",
    "__version__",
    "create_app",
    "live_brain",
]

_HOMES = {
    "AgentError": "agents",
    "Answer": "talk.client",
    "Call": "call",
    "CallClient": "talk.client",
    "IceServer": "settings",
    "ModelError": "live.models",
    "Settings": "settings",
    "__version__": "version",
    "create_app": "app",
    "live_brain": "brain",
}


def __getattr__(name: str) -> object:
    # On demand: importing ADK takes seconds, and the local Live API and the replay caller, which
    # live in this package too, do without it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
