"""Video-call an AI agent: WebRTC in, ADK and the Live API behind it, the agent's voice out."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision_agent.agents.loader import AgentError
    from vision_agent.agents.model_choice import live_brain
    from vision_agent.caller.client import Answer, CallClient
    from vision_agent.caller.failure import CallFailed, CallRefused
    from vision_agent.caller.recording import BadRecording
    from vision_agent.calls.call import Call
    from vision_agent.calls.events import (
        CallEnded,
        CallError,
        CallEvent,
        CallStarted,
        RecordingEnded,
        RecordingStarted,
        ToolUsed,
        TranscriptAdded,
        UsageReported,
    )
    from vision_agent.evaluation.suite_case import SuiteCase, load_suite
    from vision_agent.ice_settings import IceServer
    from vision_agent.live.call_options import CallOptions
    from vision_agent.live.models import ModelError, check_model
    from vision_agent.replay.caller import ReplayOptions
    from vision_agent.replay.report import Report
    from vision_agent.server.app import create_app
    from vision_agent.server.video_agent import VideoAgent
    from vision_agent.server_process import ServerDidNotStart, ServerProcess
    from vision_agent.settings import Settings
    from vision_agent.tools.call_context import CallContext, in_call
    from vision_agent.version import __version__

# From 1.29 on, ONNX Runtime writes an identifier of the machine into ~/.cache and reports sessions
# and models to its maker, on Linux and macOS too. It reads the variable when it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "AgentError",
    "Answer",
    "BadRecording",
    "Call",
    "CallClient",
    "CallContext",
    "CallEnded",
    "CallError",
    "CallEvent",
    "CallFailed",
    "CallOptions",
    "CallRefused",
    "CallStarted",
    "IceServer",
    "ModelError",
    "RecordingEnded",
    "RecordingStarted",
    "ReplayOptions",
    "Report",
    "ServerDidNotStart",
    "ServerProcess",
    "Settings",
    "SuiteCase",
    "ToolUsed",
    "TranscriptAdded",
    "UsageReported",
    "VideoAgent",
    "__version__",
    "check_model",
    "create_app",
    "in_call",
    "live_brain",
    "load_suite",
]

_HOMES = {
    "AgentError": "agents.loader",
    "Answer": "caller.client",
    "BadRecording": "caller.recording",
    "Call": "calls.call",
    "CallClient": "caller.client",
    "CallContext": "tools.call_context",
    "CallEnded": "calls.events",
    "CallError": "calls.events",
    "CallEvent": "calls.events",
    "CallFailed": "caller.failure",
    "CallOptions": "live.call_options",
    "CallRefused": "caller.failure",
    "CallStarted": "calls.events",
    "IceServer": "ice_settings",
    "ModelError": "live.models",
    "RecordingEnded": "calls.events",
    "RecordingStarted": "calls.events",
    "ReplayOptions": "replay.caller",
    "Report": "replay.report",
    "ServerDidNotStart": "server_process",
    "ServerProcess": "server_process",
    "Settings": "settings",
    "SuiteCase": "evaluation.suite_case",
    "ToolUsed": "calls.events",
    "TranscriptAdded": "calls.events",
    "UsageReported": "calls.events",
    "VideoAgent": "server.video_agent",
    "__version__": "version",
    "check_model": "live.models",
    "create_app": "server.app",
    "in_call": "tools.call_context",
    "live_brain": "agents.model_choice",
    "load_suite": "evaluation.suite_case",
}


def __getattr__(name: str) -> object:
    # On demand: importing ADK takes seconds, and the local Live API and the caller do not need it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
