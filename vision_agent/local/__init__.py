"""The Live API on this machine.

A server on the loopback interface that speaks the Gemini Live API's WebSocket protocol
(BidiGenerateContent), hears, looks, answers and speaks with nothing but what is installed. It
imports nothing of the rest of the project: it is reached over the wire, as the real service is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision_agent.local.api.limits import SERVICE, UNLIMITED, Limits
    from vision_agent.local.engine.speech.synthesis import speak_question
    from vision_agent.local.process import run_live_server
    from vision_agent.local.scenarios.scenario import Scenario
    from vision_agent.local.scenarios.scenario_file import load_scenario
    from vision_agent.local.scenarios.yaml_reader import ScenarioError
    from vision_agent.local.server import LocalServer, serve

__all__ = [
    "SERVICE",
    "UNLIMITED",
    "Limits",
    "LocalServer",
    "Scenario",
    "ScenarioError",
    "load_scenario",
    "run_live_server",
    "serve",
    "speak_question",
]

_HOMES = {
    "Limits": "api.limits",
    "SERVICE": "api.limits",
    "UNLIMITED": "api.limits",
    "LocalServer": "server",
    "Scenario": "scenarios.scenario",
    "ScenarioError": "scenarios.yaml_reader",
    "load_scenario": "scenarios.scenario_file",
    "run_live_server": "process",
    "serve": "server",
    "speak_question": "engine.speech.synthesis",
}


def __getattr__(name: str) -> object:
    # On demand: the engine's worker processes live in this package and need no server.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
