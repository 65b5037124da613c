"""The private parts of ADK that this package uses, in one place.

ADK's connection hides some of google-genai's messages: cancelled tool calls, the end of generation
and the remaining lifetime of a connection have no event in ADK.
"""

from __future__ import annotations

import copy
import socket
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.agents.readonly_context import ReadonlyContext
from google.adk.agents.sequential_agent import SequentialAgent
from google.adk.flows.llm_flows.core._function_call_postprocessor import get_agent_to_run
from google.adk.models.base_llm_connection import BaseLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.transfer_to_agent_tool import transfer_to_agent
from google.adk.utils._sync_runner import _use_executor_for_sync_callables
from google.adk.utils.variant_utils import GoogleLLMVariant
from google.genai import types
from google.genai.errors import APIError
from google.genai.live import AsyncSession

TRANSFER_TOOL = transfer_to_agent.__name__
"""The name of ADK's own tool with which an agent hands the conversation to another one."""


def runs_live(agent: BaseAgent) -> bool:
    """Whether ADK can run the agent in a call; for most kinds its `run_live` only raises."""
    runs = type(agent)._run_live_impl
    if runs is SequentialAgent._run_live_impl:
        return all(map(runs_live, agent.sub_agents))
    return runs is LlmAgent._run_live_impl or not runs.__module__.startswith("google.adk.")


def declare(tool: Any) -> types.FunctionDeclaration | None:
    """The declaration of a tool for a model; raises if ADK can't declare its parameters."""
    if callable(tool) and not isinstance(tool, BaseTool | BaseToolset):
        tool = FunctionTool(tool)
    return tool._get_declaration() if isinstance(tool, FunctionTool) else None


def asks_for_confirmation(tool: Any) -> bool:
    """Whether ADK runs a tool only after the user has confirmed it; maybe with some arguments."""
    return bool(isinstance(tool, FunctionTool) and tool._require_confirmation)


def transfer_target(context: ReadonlyContext, name: str) -> BaseAgent | None:
    """The agent that a transfer would reach; None if ADK would refuse it and end the call."""
    try:
        return get_agent_to_run(context._invocation_context, name)
    except ValueError:
        return None


def is_in_call(context: ReadonlyContext) -> bool:
    """Whether a callback is called by a live run, not by one that an agent's tool makes."""
    return context._invocation_context.live_request_queue is not None


class _Tapped:
    """google-genai's session; a callback gets every message before ADK does.

    ADK holds a 2.5 model's tool calls back until a `turnComplete`, or until the messages end. On
    AI Studio none comes before the model has the result (recorded, 2026): neither side would ever
    move. So the messages end after a tool call there, and ADK, which passes the call on, reads the
    rest afterwards. On Vertex AI a `generationComplete` and the `turnComplete` come (recorded); the
    messages end after the first of them, in case the turn of a tool that is not waited for stays
    open there as well.
    """

    def __init__(
        self,
        session: Any,
        on_message: Callable[[types.LiveServerMessage], None],
        *,
        calls_end_turn: bool,
    ) -> None:
        self._session = session
        self._on_message = on_message
        self._calls_end_turn = calls_end_turn
        self._sound: dict[tuple[str, str], _SoundMessage | None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def send_realtime_input(self, **given: Any) -> None:
        ((name, blob),) = given.items()
        if (
            isinstance(blob, types.Blob)
            and blob.data
            and (mime := blob.mime_type or "")[:6] == "audio/"
        ):
            if (name, mime) not in self._sound:
                self._sound[name, mime] = await _SoundMessage.learn(self._session, name, mime)
            if (message := self._sound[name, mime]) is not None:
                await self._session._ws.send(message.of(blob.data), text=True)
                return
        await self._session.send_realtime_input(**given)

    async def receive(self) -> AsyncGenerator[types.LiveServerMessage, None]:
        held = False
        async with aclosing(self._session.receive()) as messages:
            async for message in messages:
                self._on_message(message)
                yield message
                content = message.server_content
                held = held or bool(message.tool_call and message.tool_call.function_calls)
                whole = content is not None and content.generation_complete
                if held and (whole or not self._calls_end_turn):
                    return


@dataclass(frozen=True, slots=True)
class _SoundMessage:
    """google-genai's message with a chunk of sound, of which only the data changes.

    To make it from google-genai's models with its converters, fifty times a second, was a seventh
    of what the server does in Python for a call.
    """

    before: bytes
    after: bytes
    encode: Callable[[bytes], bytes]

    @classmethod
    async def learn(cls, session: Any, name: str, mime_type: str) -> _SoundMessage | None:
        """Have google-genai make one that is not sent; None where that does not show how.

        Args:
            session: google-genai's.
            name: The parameter that it takes the sound as.
            mime_type: The sound's.
        """
        if not isinstance(session, AsyncSession):
            return None
        made: list[str] = []

        class Paper:
            async def send(self, message: str) -> None:
                made.append(message)

        probe = copy.copy(session)
        probe._ws = Paper()  # type: ignore[assignment]
        data = bytes(range(256))  # the two alphabets of base64 differ in it
        given: dict[str, Any] = {name: types.Blob(data=data, mime_type=mime_type)}
        await probe.send_realtime_input(**given)
        (message,) = (text.encode() for text in made)
        for encode in (urlsafe_b64encode, b64encode):
            before, found, after = message.partition(encode(data))
            if found and encode(data) not in after:
                return cls(before, after, encode)
        return None

    def of(self, data: bytes) -> bytes:
        """The message with this sound."""
        return self.before + self.encode(data) + self.after


def tap(
    connection: BaseLlmConnection, on_message: Callable[[types.LiveServerMessage], None]
) -> None:
    """Call ``on_message`` with every message of one of ADK's connections, before ADK reads it.

    Its `receive` then may also end after a tool call, and has to be asked again.

    Raises:
        RuntimeError: ADK's connection has changed.
    """
    session = getattr(connection, "_gemini_session", None)
    if session is None:
        raise RuntimeError("google-adk's Gemini connection holds no _gemini_session any more.")
    vertex = getattr(connection, "_api_backend", None) is GoogleLLMVariant.VERTEX_AI
    connection._gemini_session = _Tapped(  # type: ignore[attr-defined]
        session, on_message, calls_end_turn=vertex
    )


def is_unknown_kind(error: BaseException) -> bool:
    """Whether google-genai has read a message whose every field is newer than it is.

    It takes such a message for an error and fails for want of a code.
    """
    *_, (frame, _) = [(None, 0), *walk_tb(error.__traceback__)]
    return (
        isinstance(error, TypeError)
        and frame is not None
        and frame.f_code is APIError.raise_error.__func__.__code__  # type: ignore[attr-defined]
    )


def drop_when_unacknowledged(connection: BaseLlmConnection, within_s: float) -> None:
    """Have the kernel end the connection when nothing that is sent is acknowledged for so long.

    The service may be late with its pongs, but its machine acknowledges what arrives: a peer that
    acknowledges nothing is gone. Linux only; elsewhere pings alone show a peer that is gone.
    """
    socket_option = getattr(socket, "TCP_USER_TIMEOUT", None)
    websocket = getattr(connection._gemini_session, "_ws", None)  # type: ignore[attr-defined]
    if socket_option is not None and websocket is not None:
        raw = websocket.transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket_option, round(1000 * within_s))


class ContentConnection(BaseLlmConnection):
    """A connection with one public method for the two ways in which ADK sends contents."""

    async def send_words(self, content: types.Content, *, wants_answer: bool) -> None:
        """Send typed words or tool results.

        Args:
            content: What to send.
            wants_answer: Whether the model is to answer; otherwise the words are context only.
        """
        raise NotImplementedError

    async def send_content(self, content: types.Content) -> None:
        """Send typed words or tool results that want an answer."""
        await self.send_words(content, wants_answer=True)

    async def _send_content(self, content: types.Content, *, partial: bool = False) -> None:
        await self.send_words(content, wants_answer=not partial)


async def send_context(connection: BaseLlmConnection, content: types.Content) -> None:
    """Send words that want no answer."""
    await connection._send_content(content, partial=True)


async def send_initial_history(connection: BaseLlmConnection, history: list[types.Content]) -> None:
    """Send a new session its history; the model answers if it ends with the caller's words.

    Until a content completes it, everything is history to a 3.x model, also what is typed next
    (documented). ADK leaves a history open that ends with the model's words: here it is completed.
    """
    if history[-1].role != "user" and connection._is_gemini_3_x_live:  # type: ignore[attr-defined]
        await send_conversation(connection, history)
    else:
        await connection.send_history(history)


async def send_conversation(
    connection: BaseLlmConnection, contents: list[types.Content], *, wants_answer: bool = True
) -> None:
    """Add contents to a running conversation, and ask for an answer unless none is wanted.

    ADK's `send_history` is for the beginning of a conversation: it sends a 3.x model a "." after
    the history, which later on would count as the caller's words. Its `send_content` takes one
    content only.
    """
    session = connection._gemini_session  # type: ignore[attr-defined]
    await session.send_client_content(turns=contents, turn_complete=wants_answer)


def run_sync_tools_in(executor: Executor) -> AbstractContextManager[None]:
    """Within the context, ADK calls tools that are plain functions in ``executor``.

    They get a copy of the caller's context variables. ADK's public way,
    `RunConfig.tool_thread_pool_config`, also moves coroutine functions into threads with event
    loops of their own, where the sessions and connection pools they have opened do not work.
    """
    return _use_executor_for_sync_callables(executor)  # type: ignore[arg-type]


def pinned_api_version(model: Gemini) -> str | None:
    """The version of the Live API that a model's author has chosen; None leaves it to ADK.

    ADK takes `v1alpha` with an API key and `v1beta1` on Vertex AI.
    """
    options = (model.client_kwargs or {}).get("http_options")
    given = options.get("api_version") if isinstance(options, dict) else None
    if isinstance(options, types.HttpOptions):
        given = options.api_version
    return given or model._base_url_and_api_version[1]
