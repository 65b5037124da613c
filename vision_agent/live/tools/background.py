"""Tools that never hold up the conversation: each call runs beside it, for a bounded time.

ADK reads the model's messages and runs its tools in one task, so a tool of 1.5 s delays the news
that the caller cut in by as much. It has another way for tools whose `behavior` is `NON_BLOCKING`:
a task of their own, with all callbacks, from which the result takes the usual road (session, page,
model). That is the seam here. The tools are replaced by copies that say `NON_BLOCKING` *after* ADK
has declared them to the model, in the request with which it opens the connection, so what the model
is told stays what the agent's author wrote: a model that waits for its tools still waits, while its
caller is heard. It works for whatever is a tool to ADK: functions, MCP, other agents.

Left where they are: streaming tools (already beside the conversation) and tools that hand the
conversation on, which ADK must see in its own loop.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.models.llm_request import LlmRequest
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from vision_agent.live.adk_hooks import TRANSFER_TOOL, run_sync_tools_in
from vision_agent.live.tools.loop_blocking import timed
from vision_agent.live.tools.threads import TooManyTools

logger = logging.getLogger(__name__)

HANDS_ON = frozenset({TRANSFER_TOOL, "task_completed", "stop_streaming", "finish_task"})
"""ADK's own tools that end an agent's part, or that change what else is running."""

HELD_UP_S = 0.25
"""A coroutine that runs for so long without waiting is told of: the caller hears it."""

MAX_CANCELLED = 256
"""Cancelled calls that are remembered, for those that have not begun yet."""


class ToolTimeout(TimeoutError):
    """A tool took too long; the text says so to the model."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """How long tools may take.

    Attributes:
        timeout_s: For a tool that is not named below.
        by_name: For single tools.
        slow: Tools that the model is told not to wait for (`NON_BLOCKING`): it goes on talking,
            and speaks of the result when it comes. Models without that ignore it.
    """

    timeout_s: float = 30.0
    by_name: Mapping[str, float] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()

    def of(self, tool: BaseTool) -> float:
        """Seconds for this tool."""
        return self.by_name.get(tool.name, self.timeout_s)


class BackgroundTools:
    """The tools of one call.

    Args:
        limits: How long they may take.
        threads: Where blocking functions run.
    """

    def __init__(self, limits: ToolLimits, threads: Executor) -> None:
        self._limits = limits
        self._threads = threads
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._cancelled: deque[str] = deque(maxlen=MAX_CANCELLED)

    def take_over(self, request: LlmRequest) -> None:
        """Lets the tools of a request that opens a connection run beside the conversation."""
        for name, tool in request.tools_dict.items():
            if not _stays(tool):
                request.tools_dict[name] = self._beside(tool)
        for group in request.config.tools or []:
            for declared in (isinstance(group, types.Tool) and group.function_declarations) or []:
                known = request.tools_dict.get(declared.name or "")
                if known is not None and self._is_slow(known):
                    declared.behavior = types.Behavior.NON_BLOCKING

    def cancel(self, call_ids: list[str]) -> None:
        """The model does not want these results any more: they end without one."""
        for call_id in call_ids:
            self._cancelled.append(call_id)
            if task := self._running.get(call_id):
                task.cancel()

    def _is_slow(self, tool: BaseTool) -> bool:
        # The result of a long-running tool comes at another time, from somebody else.
        return tool.name in self._limits.slow or tool.is_long_running

    def _beside(self, tool: BaseTool) -> BaseTool:
        beside = copy.copy(tool)
        beside.behavior = types.Behavior.NON_BLOCKING
        beside.run_async = _Call(self, tool)  # type: ignore[method-assign]
        return beside

    async def run(self, tool: BaseTool, args: dict[str, Any], context: ToolContext) -> Any:
        """One call, in the task that ADK made for it.

        Raises:
            ToolTimeout: It took too long.
            TooManyTools: So many blocking tools are running that this one was not begun.
        """
        call_id = context.function_call_id or ""
        task = asyncio.current_task()
        assert task is not None
        if call_id in self._cancelled:
            raise asyncio.CancelledError
        limit_s = self._limits.of(tool)
        self._running[call_id] = task
        deadline = asyncio.timeout(limit_s)
        try:
            async with deadline:
                with run_sync_tools_in(self._threads):
                    result = await timed(
                        tool.run_async(args=args, tool_context=context),
                        functools.partial(_tell_held_up, tool.name),
                    )
        except TimeoutError as error:
            if not deadline.expired():
                raise  # the tool's own
            raise ToolTimeout(
                f"{tool.name} has not answered within {limit_s:g} seconds and was given up."
            ) from error
        finally:
            self._running.pop(call_id, None)
        if context.actions.transfer_to_agent:
            logger.warning(
                "The tool %s asks for a transfer to %s, which only the tool %s can do in a call: "
                "there is no transfer.",
                tool.name,
                context.actions.transfer_to_agent,
                TRANSFER_TOOL,
            )
        return result


@dataclass(frozen=True, slots=True)
class _Call:
    """`BaseTool.run_async` of a tool that was taken over."""

    tools: BackgroundTools
    tool: BaseTool

    async def __call__(self, *, args: dict[str, Any], tool_context: ToolContext) -> Any:
        return await self.tools.run(self.tool, args, tool_context)


def _stays(tool: BaseTool) -> bool:
    return (
        tool.name in HANDS_ON
        or inspect.isasyncgenfunction(getattr(tool, "func", None))
        or isinstance(vars(tool).get("run_async"), _Call)
    )


async def explain_error(
    tool: BaseTool, args: dict[str, Any], tool_context: ToolContext, error: Exception
) -> dict[str, Any] | None:
    """An `on_tool_error_callback` that makes of any failure a result the model can explain."""
    if not isinstance(error, Exception):
        return None  # cancelled: nobody wants a result
    return _in_words(tool, error)


def explain_errors(agent: BaseAgent) -> None:
    """Sees to it that every tool call of a tree of agents gets a result, in place.

    `explain_error` stands behind the callbacks that an agent has for errors. Its other callbacks
    around a tool are guarded: ADK would only log what they raise, and the model would wait.
    """
    if isinstance(agent, LlmAgent):
        own = agent.canonical_on_tool_error_callbacks
        if explain_error not in own:
            agent.on_tool_error_callback = [*own, explain_error]
            agent.before_tool_callback = [
                _guarded(callback) for callback in agent.canonical_before_tool_callbacks
            ]
            agent.after_tool_callback = [
                _guarded(callback) for callback in agent.canonical_after_tool_callbacks
            ]
    for child in agent.sub_agents:
        explain_errors(child)


def _guarded(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            result = callback(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result
        except Exception as error:
            # Of the agent's own code: whatever it is, the model gets a result.
            return _in_words(kwargs["tool"] if "tool" in kwargs else args[0], error)

    return guarded


def _tell_held_up(name: str, seconds: float) -> None:
    if seconds >= HELD_UP_S:
        logger.warning(
            "The tool %s held up every call on this server for %.1f s: it blocks inside "
            "`async def`. As a plain function it would run in a thread.",
            name,
            seconds,
        )


def _in_words(tool: BaseTool, error: Exception) -> dict[str, Any]:
    if isinstance(error, ToolTimeout | TooManyTools):
        logger.warning("%s", error)
        return {"error": str(error)}
    logger.warning("The tool %s failed.", tool.name, exc_info=error)
    # Not the exception's own words: they may hold a password or a path, and would be spoken.
    return {"error": f"The tool {tool.name} failed. Nothing more is known here."}
