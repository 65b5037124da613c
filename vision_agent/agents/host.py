"""One agent of the server: loaded once, given a live model, run by one ADK runner."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.runners import Runner

from vision_agent.agents.artifacts import BoundedArtifacts
from vision_agent.agents.destinations import destinations
from vision_agent.agents.fit import misfits
from vision_agent.agents.loader import agent_specs, load_agent, root_of
from vision_agent.agents.memory import SqliteMemoryService
from vision_agent.agents.memory_recorder import MemoryRecorder
from vision_agent.agents.model_choice import ModelChoice, choose_model, install_model
from vision_agent.agents.options import AgentOptions
from vision_agent.closing import close_each
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.observer import ConnectionObserver
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.local_process import LocalApi
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.models import VOICES, ModelError, unlisted_voice
from vision_agent.live.replaced_answer import (
    mark_replaced_answers,
    mark_replaced_answers_of,
    reads_transcripts,
)
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.live.sessions.played_history import PlayedHistoryPlugin, Rest
from vision_agent.live.sessions.store import SessionLease, make_store
from vision_agent.live.tools.background import BackgroundTools, explain_errors, guard_plugins
from vision_agent.live.tools.threads import ToolThreads
from vision_agent.live.toolsets import MissingToolsets, watch_toolsets
from vision_agent.version import __version__

logger = logging.getLogger(__name__)


class HostedAgent:
    """Loads the agent and chooses its model at once; `start` starts the rest.

    Args:
        options: The agent, its model, and how calls are answered and kept.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't be used.
        DatabaseError: The sessions' database can't be used.
    """

    def __init__(self, options: AgentOptions) -> None:
        self._call_options = CallOptions.read(options.answers)
        app = load_agent(agent_specs(options.agent)[0].spec)
        self._root = root_of(app)
        self.model_choice: ModelChoice = choose_model(
            self._root, options.model, os.environ, options.own_models
        )
        # Before `install_model` replaces the model objects, which know where they lead.
        self._destinations = destinations(self.model_choice, self._root, os.environ)
        self.model_choice.check(self._call_options)
        self._notes = (*self.model_choice.notes, *self.notes(self._call_options))
        self._misfits = tuple(misfits(self._root, local=self.model_choice.kind == "local"))
        for text in (*self._notes, *self._misfits):
            logger.warning(text)
        if options.scenario is not None and self.model_choice.kind != "local":
            raise ModelError(
                "A scenario is played by the local Live API, but "
                f"{self.model_choice.label} was chosen: add --model local."
            )
        self._tool_limits = options.tool_limits
        self._tool_threads = ToolThreads()
        self.store = make_store(
            app.name,
            url=options.database_url,
            resume_within_s=options.resume_within_s,
            keep_s=options.keep_s,
            service=options.services.sessions,
        )
        self._reads_transcripts = reads_transcripts(self._root, app.plugins)
        guard_plugins(app.plugins)
        mark_replaced_answers_of(app.plugins)
        app = app.model_copy(update={"plugins": [*app.plugins, PlayedHistoryPlugin()]})
        self.memory: BaseMemoryService = options.services.memory or SqliteMemoryService(
            options.memory_path, keep_s=options.keep_s
        )
        self._runner = Runner(
            app=app,
            session_service=self.store,
            memory_service=self.memory,
            artifact_service=options.services.artifacts or BoundedArtifacts(),
        )

    @property
    def name(self) -> str:
        """The root agent's name."""
        return self._root.name

    @property
    def app_name(self) -> str:
        """The name of the ADK app, unique on a server."""
        return self._runner.app_name

    @property
    def description(self) -> str:
        """The agent's description of itself."""
        return self._root.description

    @property
    def version(self) -> str:
        """The version of this package."""
        return __version__

    def info(self) -> dict[str, Any]:
        """The agent as the page shows it."""
        return {
            "agent": self.name,
            "brain": self.model_choice.page_kind,
            "brain_label": self.model_choice.label,
            "model": self.model_choice.model,
            "notes": list(self._notes),
            "misfits": list(self._misfits),
            "destinations": [asdict(one) for one in self._destinations],
            "voices": self._voices(),
            "version": __version__,
        }

    def _voices(self) -> list[str]:
        """The voices that a caller may choose from; none if the user's own server speaks."""
        own = any(one.service == "voice" for one in self._destinations)
        return [] if own or self.model_choice.kind == "custom" else list(VOICES)

    async def start(self, local: LocalApi | None, on_taken: Callable[[str], None]) -> None:
        """Open the sessions' database, and give the agent its model.

        Args:
            local: The running local Live API; None if no agent needs it.
            on_taken: Called with the id of a call's session that another process has continued.

        Raises:
            DatabaseError: The database can't be used.
        """
        await self.store.start(on_taken)
        install_model(
            self.model_choice, self._root, local if self.model_choice.kind == "local" else None
        )
        explain_errors(self._root)
        mark_replaced_answers(self._root)
        watch_toolsets(self._root)

    async def flush(self) -> None:
        """Write the data of calls and close its files, even if a step fails."""
        await close_each(
            (f"the sessions of {self.name}", self.store.close),
            (f"the memory of {self.name}", self._close_memory),
        )

    async def _close_memory(self) -> None:
        if isinstance(self.memory, SqliteMemoryService):
            await asyncio.to_thread(self.memory.close)  # it blocks for a moment

    async def close(self) -> None:
        """End the agent's own toolsets and plugins."""
        await close_each((f"the agent {self.name}", self._runner.close))

    def options(self, asked: Mapping[str, Any]) -> CallOptions:
        """The options of a call that asks for some itself; `ModelError` if one is impossible."""
        options = self._call_options.but(asked)
        self.model_choice.check(options)
        if self._reads_transcripts and _transcribed(self._call_options) - _transcribed(options):
            raise ModelError(
                "The agent checks what is said in a call by its transcript, which a caller can't "
                "switch off."
            )
        return options

    def notes(self, options: CallOptions) -> tuple[str, ...]:
        """A sentence for each option that is only tried: the service may refuse it."""
        voice = unlisted_voice(options.voice) if options.voice else None
        return (f"{voice} It is tried as it is.",) if voice else ()

    def memory_recorder(
        self, lease: SessionLease, call_id: str, on_line: Callable[[str, str, bool, float], None]
    ) -> MemoryRecorder:
        """Records the words of a call in the memory; not those of an unknown caller.

        Args:
            lease: The call's session.
            call_id: The call's id.
            on_line: See `MemoryRecorder`.
        """
        return MemoryRecorder(
            self.memory,
            app_name=self.app_name,
            user=lease.user_id if lease.known else "",
            conversation=call_id,
            on_line=on_line,
        )

    def new_session(
        self,
        lease: SessionLease,
        live_queue: LiveQueue,
        *,
        options: CallOptions,
        observer: ConnectionObserver,
        played: Callable[[], str],
        rest: Callable[[], Rest],
        on_missing_tools: Callable[[str], None],
        tell_agent: Callable[[str], None],
    ) -> LiveSession:
        """The model's side of a call.

        Args:
            lease: The call's session.
            live_queue: The call's live queue.
            options: The call's, from `options`.
            observer: Notified of the state of the connection to the model.
            played: The words of the present answer that have been played so far.
            rest: Returns the fate of the present answer when the call is over.
            on_missing_tools: Called with a sentence for each toolset that does not load.
            tell_agent: Gives the agent a notice in the next gap of the conversation.
        """
        scope = ModelScope(
            user_id=lease.user_id,
            observer=observer,
            gate=live_queue,
            handles=lease,
            played=played,
            tools=BackgroundTools(self._tool_limits, self._tool_threads, tell_agent),
            options=options,
            toolset_failed=MissingToolsets(on_missing_tools).report,
        )
        return LiveSession(
            self._runner,
            make_run_config(options),
            live_queue,
            scope,
            session_id=lease.session_id,
            model=self.model_choice.model,
            rest=rest,
        )


def _transcribed(options: CallOptions) -> set[str]:
    """The sides whose speech the model transcribes; an answer in text needs no transcript."""
    transcribed = set()
    if options.input_transcription:
        transcribed.add("caller")
    if options.output_transcription and options.modality == "AUDIO":
        transcribed.add("agent")
    return transcribed
