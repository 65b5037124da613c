"""Words with which an agent's own code replaces an answer.

In a call ADK asks the `before_model_callback`s of agents and plugins about what the caller has
typed or said, and the `after_model_callback`s about an answer's transcript each time it grows. When
one returns a response, ADK emits it, drops the rest of the answer and begins another model session
with the conversation so far. A response that does not say that it ends its turn counts as a piece
of the answer: no session keeps it, so the new model session is asked the same question, and its
answer is replaced again, without end. A callback that returns what it was given has the same
effect. So the callbacks are wrapped: what they put in place of an answer ends the turn, and carries
a mark.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.events.event import Event
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins.base_plugin import BasePlugin
from google.genai import types

from vision_agent.live.adk_hooks import is_in_call

logger = logging.getLogger(__name__)

_KEY = "replaces_answer"
_NO_WORDS = "…"
"""Without content the question would stay open, and the new session would be asked it again."""


def replacement(event: Event) -> str | None:
    """The words, maybe none, with which an event replaces an answer; None if it replaces none."""
    words = (event.custom_metadata or {}).get(_KEY)
    return words if isinstance(words, str) else None


def mark_replaced_answers(agent: BaseAgent) -> None:
    """Wrap the model callbacks of a tree of agents, in place."""
    if isinstance(agent, LlmAgent):
        agent.before_model_callback = _all_wrapped(agent.canonical_before_model_callbacks)
        agent.after_model_callback = _all_wrapped(agent.canonical_after_model_callbacks)
    for child in agent.sub_agents:
        mark_replaced_answers(child)


def mark_replaced_answers_of(plugins: Iterable[BasePlugin]) -> None:
    """Wrap the model callbacks of an app's plugins, in place, as those of its agents."""
    for plugin in plugins:
        for name in _overridden(plugin):
            setattr(plugin, name, _wrapped(getattr(plugin, name)))


def reads_transcripts(agent: BaseAgent, plugins: Iterable[BasePlugin]) -> bool:
    """Whether an agent of the tree or a plugin may replace the words of a transcript."""
    own = isinstance(agent, LlmAgent) and (
        agent.canonical_before_model_callbacks or agent.canonical_after_model_callbacks
    )
    plugins = list(plugins)
    return (
        bool(own)
        or any(_overridden(plugin) for plugin in plugins)
        or any(reads_transcripts(child, plugins) for child in agent.sub_agents)
    )


def _overridden(plugin: BasePlugin) -> list[str]:
    return [
        name
        for name in ("before_model_callback", "after_model_callback")
        if getattr(type(plugin), name) is not getattr(BasePlugin, name)
    ]


def _all_wrapped(callbacks: Iterable[Callable[..., Any]]) -> list[Any]:
    return [_wrapped(callback) for callback in callbacks]


def _wrapped(callback: Callable[..., Any]) -> Callable[..., Any]:
    if hasattr(callback, _KEY):
        return callback
    name = getattr(callback, "__qualname__", type(callback).__name__)

    @functools.wraps(callback)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        context, given = [*args, *kwargs.values()]  # its context, and a request or a response
        words = _words(given) if isinstance(given, LlmResponse) else None
        result = callback(*args, **kwargs)
        if inspect.isawaitable(result):
            result = await result
        if not result or not is_in_call(context):
            return result
        if not isinstance(result, LlmResponse):
            raise TypeError(f"{name} returned no LlmResponse but a {type(result).__name__}")
        if (put := _words(result)) == words:
            return None
        logger.warning("%s puts other words in the place of an answer, which ends here.", name)
        return _whole(result, put)

    setattr(wrapped, _KEY, True)
    return wrapped


def _words(response: LlmResponse) -> str:
    """A response's words: its text, or else its transcript, or else its error."""
    parts = (response.content.parts if response.content else None) or []
    if text := "".join(part.text or "" for part in parts if not part.thought).strip():
        return text
    said = response.output_transcription
    return (said.text if said else None) or response.error_message or ""


def _whole(response: LlmResponse, words: str) -> LlmResponse:
    metadata = {**(response.custom_metadata or {}), _KEY: words}
    return LlmResponse(
        content=types.Content(role="model", parts=[types.Part(text=words or _NO_WORDS)]),
        partial=False,
        turn_complete=True,
        usage_metadata=response.usage_metadata,
        custom_metadata=metadata,
    )
