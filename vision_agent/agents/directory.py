"""The agents of one server, by name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from vision_agent.agents.host import HostedAgent
from vision_agent.agents.loader import AgentError, agent_specs
from vision_agent.agents.memory import SqliteMemoryService
from vision_agent.agents.options import AgentOptions
from vision_agent.closing import close_each
from vision_agent.data_folder import VARIABLE, DatabaseError, private_folder
from vision_agent.live.local_process import LocalApi, LocalLiveApi
from vision_agent.live.models import ModelError
from vision_agent.live.shared_local import SharedLocalApi

logger = logging.getLogger(__name__)

StartLocal = Callable[[], Awaitable[LocalApi]]
"""Starts the local Live API, or finds one that several processes share."""


class UnknownAgent(ValueError):
    """No agent of this server has that name; the text names those that it has."""


class AgentDirectory:
    """A `HostedAgent` for each agent; the first one answers callers who name none.

    They share one local Live API, if any of them needs it.

    Args:
        options: The agents' options; `agent` may name several.
        start_local: Starts the local Live API, or finds one that is shared; None starts one.

    An unusable agent in a folder of agents is left out, with a warning; an agent that is named
    itself must be usable.

    Raises:
        AgentError: There is no usable agent, or two have the same name.
        ModelError: A model, the voice or the key can't be used.
        DatabaseError: The sessions' database can't be used.
    """

    def __init__(
        self,
        options: AgentOptions,
        start_local: StartLocal | None = None,
    ) -> None:
        self._options = options
        self._start_local = start_local or self._start_own
        self._local: LocalApi | None = None
        self.hosts: dict[str, HostedAgent] = {}
        unusable: list[ValueError] = []
        for spec, is_named in agent_specs(options.agent):
            try:
                host = HostedAgent(replace(options, agent=spec))
            except (AgentError, ModelError) as error:
                if is_named:
                    raise
                unusable.append(error)
                continue
            if host.app_name in self.hosts:
                raise AgentError(f"Two agents are called {host.app_name!r}: rename one's folder.")
            self.hosts[host.app_name] = host
        if not self.hosts:
            raise unusable[0]
        for reason in unusable:
            text = str(reason).rstrip(".")
            logger.warning("%s. It is left out; the others are served.", text)
        self.default = next(iter(self.hosts.values()))

    @property
    def summary(self) -> str:
        """The agents and their models, for people to read."""
        labels = dict.fromkeys(host.model_choice.label for host in self.hosts.values())
        several = len(self.hosts) > 1
        # Clients choose one of several agents by these names.
        names = ", ".join(self.hosts) if several else self.default.name
        return f"{'Agents' if several else 'Agent'}: {names}. Brain: {'; '.join(labels)}."

    def find(self, name: str | None) -> HostedAgent:
        """The agent with a name; the first one for None; `UnknownAgent` if there is none."""
        if name is None:
            return self.default
        if name not in self.hosts:
            there_are = ", ".join(self.hosts)
            raise UnknownAgent(f"There is no agent {name[:60]!r} here, only {there_are}.")
        return self.hosts[name]

    def info(self) -> dict[str, Any]:
        """The agents as the page shows them: the first one, and `agents`, all of them."""
        agents = [
            {"id": name, "description": host.description, **host.info()}
            for name, host in self.hosts.items()
        ]
        return {**self.default.info(), "agents": agents}

    def session_counts(self) -> dict[str, int]:
        """The counts of all agents' sessions (`SessionStore.counts`)."""
        total: Counter[str] = Counter()
        for host in self.hosts.values():
            total.update(host.store.counts())
        return dict(total)

    def memory_counts(self) -> dict[str, int]:
        """The counts of all agents' memories (`SqliteMemoryService.counts`)."""
        total: Counter[str] = Counter()
        for host in self.hosts.values():
            if isinstance(host.memory, SqliteMemoryService):
                total.update(host.memory.counts())
        return dict(total)

    @property
    def problem(self) -> str | None:
        """Why calls can't be answered at the moment, as a sentence; None if they can be."""
        return self._local.problem if self._local else None

    @property
    def local_restarts(self) -> int:
        """How often the local Live API has been restarted."""
        return self._local.restarts if self._local else 0

    async def check(self) -> None:
        """Raise `DatabaseError` if one of the databases can't be used."""
        for host in self.hosts.values():
            await host.store.check()

    async def start(self, on_taken: Callable[[str], None] = lambda _session_id: None) -> None:
        """Start all agents.

        Args:
            on_taken: Called with the id of a call's session that another process has continued.

        Raises:
            DatabaseError: The sessions' database can't be used.
            LocalLiveApiError: The local Live API does not start.
        """
        try:
            await self._start(on_taken)
        except BaseException:
            await self.close()
            raise

    async def _start(self, on_taken: Callable[[str], None]) -> None:
        if any(host.model_choice.kind == "local" for host in self.hosts.values()):
            try:
                private_folder(self._options.data_dir)
            except OSError as error:
                raise DatabaseError(
                    f"The data folder {self._options.data_dir} can't be used: {error}. "
                    f"Name another with {VARIABLE}."
                ) from error
            self._local = await self._start_local()
        for host in self.hosts.values():
            await host.start(self._local, on_taken)

    async def _start_own(self) -> LocalApi:
        given = self._options
        shared = SharedLocalApi.offered(given.scenario, given.data_dir, given.own_models)
        return shared or await LocalLiveApi.start(
            given.scenario,
            given.data_dir,
            most_calls=given.max_calls,
            own_models=given.own_models,
        )

    async def close(self) -> None:
        """End all that `start` started; the data of calls is written first."""
        for host in self.hosts.values():
            await host.flush()
        for host in self.hosts.values():
            await host.close()
        if self._local is not None:
            await close_each(("the local Live API", self._local.close))
