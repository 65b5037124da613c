"""An agent that can be called, as a part of another application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from fastapi import APIRouter
from google.adk.artifacts.base_artifact_service import BaseArtifactService
from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.sessions.base_session_service import BaseSessionService

from vision_agent import rtc
from vision_agent.agents.directory import AgentDirectory, StartLocal
from vision_agent.agents.loader import Agent, without_dotenv
from vision_agent.agents.options import OwnServices
from vision_agent.calls.admission import Admission
from vision_agent.calls.event_queue import EventQueue, OnEvent
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.registry import CallRegistry
from vision_agent.closing import close_each
from vision_agent.server.application import make_application
from vision_agent.server.given_parts import check_function, check_instance
from vision_agent.server.identification import Identify
from vision_agent.server.ingress.lifetime import Lifetime
from vision_agent.server.ingress.termination import Termination
from vision_agent.server.kept_recordings import kept_recordings
from vision_agent.server.mounted import mounted
from vision_agent.server.operator_port import OperatorPort
from vision_agent.server.options import (
    admission_limits,
    agent_options,
    call_settings,
    shared_counts,
)
from vision_agent.server.own_process import OwnProcess
from vision_agent.server.receiving import Receiving
from vision_agent.server.tracing import exported_traces
from vision_agent.settings import Settings


class VideoAgent:
    """The page, the signalling and the calls of one or several agents.

    A FastAPI application includes `router` and runs `lifespan`::

        video = VideoAgent(Settings(...))
        app = FastAPI(lifespan=video.lifespan)
        app.include_router(video.router, prefix="/agent", dependencies=[Depends(login)])

    Args:
        settings: The options; None reads them from the environment.
        agents: ADK agents or apps, or what names them as `Settings.agent` does; the first one
            answers callers who name none. None: those that the options name. Their models are
            replaced by live ones.
        identify: Finds out who calls, by the request as the including application has it: the
            user's id, which becomes ADK's `user_id`, or None for an unknown caller. None: by a
            token, a login proxy or the client.
        on_event: Told of what happens in calls, one event after the other; no call waits for it.
        session_service: Keeps conversations, in place of the database of `session_db`.
        memory_service: Remembers what known callers said, in place of the file of `memory`.
        artifact_service: Keeps what agents store as files, in place of memory.
        own_process: Whether the process does nothing but answer calls, so that its garbage
            collector, its memory and its limit of open files may be tuned for them, and `.env`
            files beside agents be loaded.
        receiving: The UDP ports, where they are not those that the settings name.
        start_local: Finds a local Live API that several processes share; None starts one.

    Attributes:
        settings: The options.
        router: All addresses: the page, signalling, WHIP, health and metrics.
        operator_port: Where health and metrics are instead, if the settings say so.
        agents: The agents.
        registry: The calls in progress.
        receiving: The UDP ports of the calls.
        metrics: The counters.

    Raises:
        AgentError: There is no usable agent.
        ModelError: The model, the voice or the key can't work.
        DatabaseError: The sessions' database can't be used.
        TypeError: An argument is of another type, or a function takes no single argument.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        agents: Agent | Sequence[Agent] | None = None,
        identify: Identify | None = None,
        on_event: OnEvent | None = None,
        session_service: BaseSessionService | None = None,
        memory_service: BaseMemoryService | None = None,
        artifact_service: BaseArtifactService | None = None,
        own_process: bool = False,
        receiving: Receiving | None = None,
        start_local: StartLocal | None = None,
    ) -> None:
        check_instance("settings", settings, Settings)
        check_function("identify", identify, "the request")
        check_function("on_event", on_event, "the event")
        check_instance("session_service", session_service, BaseSessionService)
        check_instance("memory_service", memory_service, BaseMemoryService)
        check_instance("artifact_service", artifact_service, BaseArtifactService)
        settings = self.settings = Settings() if settings is None else settings
        services = OwnServices(session_service, memory_service, artifact_service)
        with nullcontext() if own_process else without_dotenv():
            self.agents = directory = AgentDirectory(
                agent_options(settings, agents, services), start_local
            )
        self.receiving = receiving or Receiving(settings)
        self.metrics = metrics = Metrics()
        self._counts = shared_counts(settings, services)
        metrics.watch_sessions(self._session_counts)
        metrics.watch_memory(directory.memory_counts)
        metrics.watch_local(lambda: directory.local_restarts)
        admission = self._admission = Admission(admission_limits(settings), self._counts)
        self._events = EventQueue(on_event)
        if self._events.listens:
            metrics.watch_events(self._events.counts)
        self._process = OwnProcess() if own_process else None
        self.registry = CallRegistry(
            call_settings(settings),
            metrics,
            admission,
            max_calls=settings.max_calls,
            on_garbage=self._process.garbage if self._process else lambda idle: None,
            worker=settings.worker,
            events=self._events,
        )
        self._lifetime = Lifetime(self._running)
        application, for_operators = make_application(
            settings,
            identify=identify,
            agents=directory,
            registry=self.registry,
            receiving=self.receiving,
            admission=admission,
            counts=self._counts,
            metrics=metrics,
            lifetime=self._lifetime,
        )
        self.router: APIRouter = mounted(application, self.lifespan)
        self.operator_port = None
        if for_operators is not None and settings.operator_port is not None:
            self.operator_port = OperatorPort(
                for_operators, settings.operator_host, settings.operator_port
            )

    def lifespan(self, app: object = None) -> AbstractAsyncContextManager[None]:
        """Answers calls within the context; for `FastAPI(lifespan=…)`, or inside one's own.

        Args:
            app: The application; unused.

        Raises:
            CannotListen: The operators' port can't be had.
            CannotReceive: The UDP ports can't be had.
            CannotRecord: The folder of recordings can't be used.
            DatabaseError: The sessions' database can't be used.
        """
        return self._lifetime.lifespan(app)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        rtc.install()
        operators = self.operator_port.serving() if self.operator_port else nullcontext()
        recordings = kept_recordings(self.settings)
        async with exported_traces(), operators, self.receiving, recordings, self._serving():
            yield

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        registry = self.registry
        days = self._admission.days
        await self.agents.start(on_taken=registry.taken_elsewhere)
        if days is not None:
            days.start()
        termination = Termination(lambda: registry.drain(self.settings.drain_s))
        termination.install()
        try:
            async with self._process.tuned() if self._process else nullcontext():
                yield
        finally:
            restarting = termination.restarting
            reason = "the server is restarting" if restarting else "the server is stopping"
            await close_each(
                ("the signals", termination.remove),
                ("the calls", lambda: registry.close(reason, come_back=restarting)),
                ("on_event", self._events.close),
                *([("what was used today", days.close)] if days is not None else ()),
                *([("its database", self._counts.close)] if self._counts is not None else ()),
            )
            await self.agents.close()

    def _session_counts(self) -> dict[str, int]:
        counts = self.agents.session_counts()
        if self._counts is not None:
            counts["errors"] += self._counts.errors
        return counts
