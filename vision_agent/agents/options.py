"""What a server's agents are made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_agent.live.tools.background import ToolLimits
from vision_agent.own_models import OwnModels


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Who answers calls, and how.

    Attributes:
        agent: As `loader.agent_specs` takes it; None for the default agent.
        model: A live model's name, or `local`; None for the agent's own, or the local Live API.
        answers: How calls are answered, as `CallOptions.read` takes it.
        own_models: Servers of the user's own that do a part of the local Live API's work.
    """

    agent: str | None
    model: str | None
    answers: Mapping[str, Any]
    own_models: OwnModels


@dataclass(frozen=True, slots=True)
class AgentOptions(ModelOptions):
    """The agents of one server.

    Attributes:
        scenario: What the local Live API answers, and what goes wrong with it; None for itself.
        data_dir: Where the local Live API keeps what callers teach.
        max_calls: How many calls there may be at the same time.
        tool_limits: How long the agents' tools may take.
        database_url: The sessions' database, as SQLAlchemy takes it; None keeps them in memory.
        memory_path: The SQLite file that remembers what callers said; None keeps it in memory.
        resume_within_s: How long a conversation can be continued after its call.
        keep_s: How long the database and the memory keep what was said.
    """

    scenario: Path | None
    data_dir: Path
    max_calls: int
    tool_limits: ToolLimits
    database_url: str | None = field(repr=False)  # it may hold a password
    memory_path: Path | None
    resume_within_s: float
    keep_s: float
