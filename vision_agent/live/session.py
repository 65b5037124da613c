"""One conversation with the model: runs `Runner.run_live` and yields what happens."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

from google.adk.agents.run_config import RunConfig
from google.adk.events.event import Event
from google.adk.runners import Runner
from google.adk.sessions.base_session_service import GetSessionConfig

from vision_agent import call_scope
from vision_agent.live.errors import LiveFailure, cause_of, explain, kind_of
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentReplaced,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    AgentTurnComplete,
    AgentTurnPaused,
    LiveEvent,
    TokenUsage,
    UserTranscript,
)
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.played import played_on
from vision_agent.live.replaced_answer import replacement
from vision_agent.live.sessions.played_history import Rest, settle
from vision_agent.live.token_counts import counted
from vision_agent.live.turn_status import goes_on

logger = logging.getLogger(__name__)


class LiveSession:
    """The model's side of one call.

    Args:
        runner: ADK's runner of the agent; shared by all calls.
        run_config: This call's configuration.
        live_queue: What the caller says, shows and types.
        scope: What the parts that ADK calls need of this call.
        session_id: The ADK session, which nothing else uses.
        model: The model's name, for error messages.
        rest: What becomes of the present answer; asked when the session ends.

    Attributes:
        played_at_end: The words of the present answer that had been played when the session ended;
            None before its end.
    """

    def __init__(
        self,
        runner: Runner,
        run_config: RunConfig,
        live_queue: LiveQueue,
        scope: ModelScope,
        *,
        session_id: str,
        model: str,
        rest: Callable[[], Rest] = lambda: "open",
    ) -> None:
        self._runner = runner
        self._run_config = run_config
        self._live_queue = live_queue
        self._scope = scope
        self._session_id = session_id
        self._model = model
        self._rest = rest
        self.played_at_end: str | None = None

    async def events(self) -> AsyncGenerator[LiveEvent, None]:
        """Yield what happens until the conversation ends.

        Iterate it in a task of its own, inside `contextlib.aclosing`: ADK leaks the model's
        socket if `run_live` is merely abandoned. Reuses the ADK session if it exists; otherwise
        creates it and deletes it afterwards.

        Raises:
            LiveFailure: The model can't be reached, refused, or ended the conversation; the text
                says which.
        """
        # ADK's tasks are started below and inherit it.
        call_scope.enter_model_side(self._scope)
        sessions = self._runner.session_service
        key: dict[str, Any] = {
            "app_name": self._runner.app_name,
            "user_id": self._scope.user_id,
            "session_id": self._session_id,
        }
        existing = await sessions.get_session(**key, config=GetSessionConfig(num_recent_events=0))
        if existing is None:
            await sessions.create_session(**key)
        try:
            run = self._runner.run_live(
                user_id=self._scope.user_id,
                session_id=self._session_id,
                live_request_queue=self._live_queue,
                run_config=self._run_config,
            )
            async with aclosing(run):
                async for event in run:
                    for item in read(event):
                        yield item
        except Exception as error:
            # Whatever ADK or the agent's code raises ends this call, with a reason for the caller.
            kind = kind_of(error)
            logger.warning("A call's model side failed (%s): %s", kind, cause_of(error))
            raise LiveFailure(explain(error, model=self._model), kind=kind) from error
        finally:
            if self._scope.played is not None:
                self.played_at_end = self._scope.played()
            outdated = await settle(
                self._runner,
                self._scope.user_id,
                self._session_id,
                played=self.played_at_end,
                rest=self._rest(),
            )
            if outdated and self._scope.handles is not None:
                self._scope.handles.keep(None)
            if existing is None:
                await sessions.delete_session(**key)


def read(event: Event) -> Iterator[LiveEvent]:
    """Translate one of ADK's events, in order; one event may mean several things."""
    if (put := replacement(event)) is not None:
        yield AgentReplaced(put, event.author)
        yield AgentTurnComplete()
        return
    if event.input_transcription and event.input_transcription.text:
        yield UserTranscript(
            event.input_transcription.text, bool(event.input_transcription.finished)
        )
    # The event that ends a turn carries its words for the history only (`played_history`).
    ends = event.turn_complete or event.interrupted
    if event.output_transcription and event.output_transcription.text and not ends:
        yield AgentTranscript(
            event.output_transcription.text,
            bool(event.output_transcription.finished),
            event.author,
        )
    for part in (event.content.parts if event.content else None) or []:
        blob = part.inline_data
        if blob and blob.data and (blob.mime_type or "").startswith("audio/pcm"):
            yield AgentAudio(blob.data)
        elif call := part.function_call:
            yield AgentToolCall(call.id or "", call.name or "", call.args or {})
        elif response := part.function_response:
            yield AgentToolResult(response.id or "", response.name or "", response.response or {})
        elif part.text and not part.thought and event.author != "user":
            # A session that answers in text; partial texts are deltas here as well.
            yield AgentTranscript(part.text, not event.partial, event.author)
    if event.interrupted:
        yield AgentInterrupted(played_on(event))
    if usage := event.usage_metadata:
        yield TokenUsage(event.model_version or "", counted(usage))
    if event.turn_complete:
        yield AgentTurnPaused() if goes_on(event) else AgentTurnComplete()
