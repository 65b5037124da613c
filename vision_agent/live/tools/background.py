"""Tools that never delay the conversation: each call runs in its own task, for a bounded time.

ADK reads the model's messages and runs tools in one task, so a tool that takes 1.5 s delays an
interruption by as much. Tools whose `behavior` is `NON_BLOCKING` run in tasks of their own, with
all callbacks, and their results go to the session, the page and the model as usual. So the tools of
the request that opens a connection are replaced by `NON_BLOCKING` copies, *after* ADK has declared
them to the model. The declarations stay as the agent's author wrote them: a model that waits for
its tools still waits, but the caller's words reach it meanwhile. This works for everything that is
a tool to ADK: functions, MCP, other agents.

Streaming tools run in tasks already. ADK sends each of their results as another result of the same
call, which a model accepts only for a call that it does not wait for, if at all. So these results
become notices (`calls/notices.py`), which reach every model and interrupt nobody. Tools that hand
the conversation on are not replaced, because they have to run in ADK's own loop.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.events.event import Event
from google.adk.models.llm_request import LlmRequest
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from vision_agent.live.adk_hooks import (
    TRANSFER_TOOL,
    run_sync_tools_in,
    runs_live,
    transfer_target,
)
from vision_agent.live.tools.loop_blocking import timed
from vision_agent.live.tools.repeated_calls import MAX_CALLS, RepeatedCalls
from vision_agent.live.tools.results import NoResult, as_json
from vision_agent.live.tools.threads import TooManyTools

logger = logging.getLogger(__name__)

HANDS_ON = frozenset({TRANSFER_TOOL, "task_completed", "stop_streaming", "finish_task"})
"""ADK's own tools that end an agent's turn, or change what else is running."""

BLOCKING_S = 0.25
"""A coroutine that blocks the event loop for this long is logged, because callers hear the gap."""

MAX_CANCELLED = 256
"""Cancelled calls that are remembered, as a call may be cancelled before it begins."""


class ToolTimeout(TimeoutError):
    """A tool took too long; the text is for the model."""


class ToolEnded(RuntimeError):
    """A tool has ended its thread or its task, which are not its own."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """How long tools may take.

    Attributes:
        timeout_s: For tools that are not in `by_name`.
        by_name: For single tools, by name.
        slow: Tools that are declared `NON_BLOCKING` to the model: it keeps talking while they run,
            and mentions the result when it arrives. Models without the feature ignore it.
    """

    timeout_s: float = 30.0
    by_name: Mapping[str, float] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()

    def of(self, tool: BaseTool) -> float:
        """The timeout of a tool, in seconds."""
        return self.by_name.get(tool.name, self.timeout_s)


class BackgroundTools:
    """The tools of one call.

    Args:
        limits: How long they may take.
        threads: Runs blocking functions.
        tell_agent: Gives the agent what a streaming tool finds; None leaves that to ADK.
    """

    def __init__(
        self,
        limits: ToolLimits,
        threads: Executor,
        tell_agent: Callable[[str], None] | None = None,
    ) -> None:
        self._limits = limits
        self._threads = threads
        self._tell_agent = tell_agent
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._cancelled: deque[str] = deque(maxlen=MAX_CANCELLED)
        self._repeated = RepeatedCalls()
        self._results: dict[str, asyncio.Future[Any]] = {}

    def wrap_tools(self, request: LlmRequest) -> None:
        """Replace the tools of a request that opens a connection by ones that run in tasks."""
        for name, tool in request.tools_dict.items():
            if _streams(tool):
                request.tools_dict[name] = _checked(tool, self._tell_agent)
            elif not _stays(tool):
                request.tools_dict[name] = self._beside(tool)
        for group in request.config.tools or []:
            for declared in (isinstance(group, types.Tool) and group.function_declarations) or []:
                known = request.tools_dict.get(declared.name or "")
                if known is not None and self._is_slow(known):
                    declared.behavior = types.Behavior.NON_BLOCKING

    def cancel(self, call_ids: list[str]) -> None:
        """Cancel calls whose results the model no longer wants."""
        for call_id in call_ids:
            self._cancelled.append(call_id)
            if task := self._running.get(call_id):
                task.cancel()

    def received(self, message: types.LiveServerMessage) -> None:
        """Take a message of the model, before ADK does."""
        self._repeated.received(message)

    def connection_lost(self) -> None:
        """The next connection may make a pending call again."""
        self._repeated.interrupted()

    def _is_slow(self, tool: BaseTool) -> bool:
        # The result of a long-running tool arrives later, by another way.
        return tool.name in self._limits.slow or tool.is_long_running

    def _beside(self, tool: BaseTool) -> BaseTool:
        beside = copy.copy(tool)
        beside.behavior = types.Behavior.NON_BLOCKING
        beside.run_async = _Call(self, tool)  # type: ignore[method-assign]
        return beside

    async def run(self, tool: BaseTool, args: dict[str, Any], context: ToolContext) -> Any:
        """Run one call, in the task that ADK made for it.

        A call that repeats an earlier one for the same wish gets the earlier call's result.

        Raises:
            ToolTimeout: It took too long.
            TooManyTools: Too many blocking tools are running; this one was not started.
        """
        call_id = context.function_call_id or ""
        original_id = self._repeated.original_of(call_id)
        if original_id and (original := self._results.get(original_id)):
            logger.info("The model repeats a call of %s, which is not run again.", tool.name)
            await asyncio.wait([original])
            if not original.cancelled():
                return copy.copy(original.result())
        self._results[call_id] = result = asyncio.get_running_loop().create_future()
        if len(self._results) > MAX_CALLS:
            del self._results[next(iter(self._results))]
        try:
            result.set_result(await self._run_once(call_id, tool, args, context))
        except asyncio.CancelledError:
            result.cancel()
            raise
        except Exception as error:
            result.set_exception(error)
        self._repeated.returned(call_id)
        return result.result()

    async def _run_once(
        self, call_id: str, tool: BaseTool, args: dict[str, Any], context: ToolContext
    ) -> Any:
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
                        functools.partial(_log_blocking, tool.name),
                    )
        except TimeoutError as error:
            if not deadline.expired():
                raise  # raised by the tool itself
            raise ToolTimeout(
                f"{tool.name} has not answered within {limit_s:g} seconds and was given up."
            ) from error
        except (asyncio.CancelledError, SystemExit) as error:
            if task.cancelling():
                raise
            # Raised by the tool itself: the model waits for a result, and the server goes on.
            raise ToolEnded(type(error).__name__) from error
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
    """`BaseTool.run_async` of a replaced tool."""

    tools: BackgroundTools
    tool: BaseTool

    async def __call__(self, *, args: dict[str, Any], tool_context: ToolContext) -> Any:
        return await self.tools.run(self.tool, args, tool_context)


def _stays(tool: BaseTool) -> bool:
    return tool.name in HANDS_ON or isinstance(vars(tool).get("run_async"), _Call)


def _streams(tool: BaseTool) -> TypeGuard[FunctionTool]:
    return inspect.isasyncgenfunction(getattr(tool, "func", None))


def _checked(tool: FunctionTool, tell: Callable[[str], None] | None) -> FunctionTool:
    """A streaming tool whose results become JSON: ADK calls no `after_tool` callback for them.

    A result that is not JSON ends the tool, and so does a failure.

    Args:
        tool: The tool.
        tell: Called with each result, as text, in place of ADK.
    """
    stream: Callable[..., AsyncGenerator[Any, None]] = tool.func
    if hasattr(stream, "results_checked"):
        return tool

    @functools.wraps(stream)
    async def checked(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(stream(*args, **kwargs)) as results:
                async for result in results:
                    if isinstance(result, Event):
                        yield result
                    elif tell is None:
                        yield as_json(tool.name, result)
                    else:
                        tell(_noticed(tool, as_json(tool.name, result)))
        except Exception as error:
            # Raised by the agent's own code, logged in `_in_words`.
            failed = _in_words(tool, error)
            if tell is None:
                yield failed
            else:
                tell(failed["error"])

    checked.results_checked = True  # type: ignore[attr-defined]
    copied = copy.copy(tool)
    copied.func = checked
    return copied


def _noticed(tool: BaseTool, result: Any) -> str:
    words = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return f"{tool.name}: {words}"


async def explain_error(
    tool: BaseTool, args: dict[str, Any], tool_context: ToolContext, error: Exception
) -> dict[str, Any] | None:
    """An `on_tool_error_callback` that turns any failure into a result for the model."""
    if not isinstance(error, Exception):
        return None  # cancelled: no result is wanted
    return _in_words(tool, error)


def explain_errors(agent: BaseAgent) -> None:
    """Make every tool call in a tree of agents end with a result, in place.

    `explain_error` runs after the agent's own error callbacks. The agent's other tool callbacks are
    guarded: ADK would only log what they raise, and the model would wait for a result. What they
    and the tools return becomes JSON, after the last of them.
    """
    if isinstance(agent, LlmAgent):
        own = agent.canonical_on_tool_error_callbacks
        if explain_error not in own:
            agent.on_tool_error_callback = [*own, explain_error]
            before = [*agent.canonical_before_tool_callbacks, _refused_transfer]
            agent.before_tool_callback = [_guarded(callback) for callback in before]
            after = [*agent.canonical_after_tool_callbacks, _as_it_is]
            agent.after_tool_callback = [_guarded(callback) for callback in after]
    for child in agent.sub_agents:
        explain_errors(child)


def guard_plugins(plugins: Iterable[BasePlugin]) -> None:
    """Guard the tool callbacks of an app's plugins, in place, as those of its agents."""
    for plugin in plugins:
        for name in ("before_tool_callback", "after_tool_callback", "on_tool_error_callback"):
            if name not in vars(plugin):
                setattr(plugin, name, _guarded(getattr(plugin, name)))


def _as_it_is(
    tool: BaseTool, args: dict[str, Any], tool_context: ToolContext, tool_response: Any
) -> Any:
    """An `after_tool_callback` that changes nothing but what `_guarded` does to its result.

    A transfer has no result, by which it is known (`hands_over`).
    """
    if tool.name == TRANSFER_TOOL and tool_context.actions.transfer_to_agent:
        return {"result": None}
    return tool_response


def _refused_transfer(
    tool: BaseTool, args: dict[str, Any], tool_context: ToolContext
) -> dict[str, Any] | None:
    """A `before_tool_callback` that refuses a transfer that would end the call."""
    name = args.get("agent_name")
    if tool.name != TRANSFER_TOOL or not isinstance(name, str):
        return None
    target = transfer_target(tool_context, name)
    if target is not None and runs_live(target):
        return None
    what = "there is none that it may hand over to" if target is None else "it can't run in a call"
    logger.warning("The agent %r is not handed the conversation: %s.", name, what)
    return {"error": f"The agent {name} can't take over here. Go on with the caller yourself."}


def _guarded(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        tool = kwargs["tool"] if "tool" in kwargs else args[0]
        try:
            result = callback(*args, **kwargs)
            return as_json(tool.name, await result if inspect.isawaitable(result) else result)
        except Exception as error:
            # Raised by the agent's own code, logged in `_in_words`: the model gets a result.
            return _in_words(tool, error)

    return guarded


def _log_blocking(name: str, seconds: float) -> None:
    if seconds >= BLOCKING_S:
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
    if isinstance(error, NoResult):
        logger.warning("%s (%s)", error, error.__cause__ or "too much")
        return {"error": str(error)}
    logger.warning("The tool %s failed.", tool.name, exc_info=error)
    # The exception's text may contain a password or a path, and would be spoken.
    return {"error": f"The tool {tool.name} failed. Nothing more is known here."}
