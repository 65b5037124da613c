"""The options of a server's agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.adk.artifacts.base_artifact_service import BaseArtifactService
from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.sessions.base_session_service import BaseSessionService

from vision_agent.agents.loader import Agent
from vision_agent.live.tools.background import ToolLimits
from vision_agent.own_models import OwnModels


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The agent, its model, and how calls are answered.

    Attributes:
        agent: As `loader.agent_specs` takes it; None for the default agent.
        model: A live model's name, or `local`; None for the agent's own, or the local Live API.
        answers: How calls are answered, as `CallOptions.read` takes it.
        own_models: The user's own servers that take over parts of the local Live API.
    """

    agent: Agent | Sequence[Agent] | None
    model: str | None
    answers: Mapping[str, Any]
    own_models: OwnModels


@dataclass(frozen=True, slots=True)
class OwnServices:
    """ADK services of the host application, which opens and closes them itself.

    Attributes:
        sessions: Keeps conversations; None for a database of ours.
        memory: Remembers callers' words; None for a file of ours.
        artifacts: Keeps agents' files; None keeps them in memory.
    """

    sessions: BaseSessionService | None = None
    memory: BaseMemoryService | None = None
    artifacts: BaseArtifactService | None = None


@dataclass(frozen=True, slots=True)
class AgentOptions(ModelOptions):
    """The agents of one server.

    Attributes:
        scenario: The script of the local Live API's answers and faults; None: the engine answers.
        data_dir: The folder in which the local Live API keeps taught things.
        max_calls: How many calls there may be at the same time.
        tool_limits: How long the agents' tools may take.
        database_url: The sessions' database, as SQLAlchemy takes it; None keeps them in memory.
        memory_path: The SQLite file of callers' words; None keeps them in memory.
        resume_within_s: How long a conversation can be continued after its call.
        keep_s: How long the database and the memory keep conversations.
        services: ADK services in place of ours.
    """

    scenario: Path | None
    data_dir: Path
    max_calls: int
    tool_limits: ToolLimits
    database_url: str | None = field(repr=False)  # the URL may hold a password
    memory_path: Path | None
    resume_within_s: float
    keep_s: float
    services: OwnServices = OwnServices()
