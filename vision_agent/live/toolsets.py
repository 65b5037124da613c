"""Toolsets that do not load, such as an MCP server that is not there, are said and not passed over.

ADK leaves such a toolset out and logs it; the model then answers as though it had never had the
tools. So an agent's toolsets are watched: the failure is logged with its cause, and the call in
which it happens is told.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.tools.base_toolset import BaseToolset

from vision_agent.live.errors import cause_of
from vision_agent.live.model_scope import model_scope

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class MissingToolsets:
    """Those of one call: each is told once, however often ADK tries to load it."""

    tell: Callable[[str], None]
    _told: set[int] = field(default_factory=set)

    def report(self, toolset: BaseToolset, error: Exception) -> None:
        """A toolset has not loaded."""
        if id(toolset) in self._told:
            return
        self._told.add(id(toolset))
        name = type(toolset).__name__
        if toolset.tool_name_prefix:
            name += f" {toolset.tool_name_prefix!r}"
        logger.warning("The toolset %s does not load: %s", name, cause_of(error))
        self.tell(f"The tools of the agent's {name} are not available in this call.")


_MARK = "_vision_agent_watches"


def watch_toolsets(agent: BaseAgent) -> None:
    """Watches the toolsets of a tree of agents, in place; those of several agents once."""
    if isinstance(agent, LlmAgent):
        for tool in agent.tools:
            # ADK decorates the `get_tools` of its own toolsets: `__wrapped__` says nothing here.
            if isinstance(tool, BaseToolset) and not hasattr(tool.get_tools, _MARK):
                tool.get_tools = _watched(tool)  # type: ignore[method-assign]
    for child in agent.sub_agents:
        watch_toolsets(child)


def _watched(toolset: BaseToolset) -> Callable[..., Any]:
    load = toolset.get_tools

    @functools.wraps(load)
    async def get_tools(*args: Any, **kwargs: Any) -> Any:
        try:
            return await load(*args, **kwargs)
        except Exception as error:
            report = model_scope().toolset_failed or MissingToolsets(lambda _text: None).report
            report(toolset, error)
            raise

    setattr(get_tools, _MARK, True)
    return get_tools
