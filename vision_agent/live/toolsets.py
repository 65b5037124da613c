"""Reports toolsets that do not load, such as those of an MCP server that can't be reached.

ADK omits such a toolset and logs it; the model then answers as if it had never had the tools. So
the toolsets of an agent are watched: a failure is logged with its cause, and shown to the caller.
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
    """The failed toolsets of one call, each reported once, however often ADK tries to load it."""

    tell: Callable[[str], None]
    _told: set[int] = field(default_factory=set)

    def report(self, toolset: BaseToolset, error: Exception) -> None:
        """A toolset has failed to load."""
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
    """Watch the toolsets of a tree of agents, in place; shared toolsets are watched once."""
    if isinstance(agent, LlmAgent):
        for tool in agent.tools:
            # ADK decorates `get_tools` of its own toolsets, so `__wrapped__` can't be the mark.
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
