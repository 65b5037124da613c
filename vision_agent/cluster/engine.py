"""The local Live API of one Ray node, shared by its workers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vision_agent.cluster.options import NAMESPACE
from vision_agent.cluster.orphan import end_if_orphaned
from vision_agent.live.local_process import (
    AWAY_S,
    START_TIMEOUT_S,
    Address,
    LocalLiveApi,
    LocalLiveApiAway,
)
from vision_agent.own_models import OwnModels
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
PREFIX = "engine"


@dataclass(frozen=True, slots=True)
class EngineState:
    """The local Live API of a node at one moment; the fields are those of `LocalApi`."""

    address: Address
    answers_within_s: float | None
    problem: str | None
    restarts: int


class NodeEngine:
    """The actor that runs the local Live API in a child process; Ray restarts a killed actor.

    The child imports nothing of ADK.

    Args:
        scenario: See `LocalLiveApi.start`, as for the next two.
        data_dir: The folder of taught things.
        own_models: Servers of the user's own.
        most_calls: How many calls the workers of a node may have together.
    """

    def __init__(
        self,
        scenario: Path | None,
        data_dir: Path,
        own_models: OwnModels,
        most_calls: int,
    ) -> None:
        self._started_with = scenario, data_dir, most_calls, own_models
        self._api: LocalLiveApi | None = None
        self._starting = asyncio.Lock()
        self._orphaned: asyncio.Task[None] | None = None

    async def state(self, *, wait: bool = False) -> EngineState:
        """Where it listens, once it does.

        Args:
            wait: Until it listens again, if it is being restarted.

        Raises:
            LocalLiveApiError: It does not start.
            LocalLiveApiAway: It is not there again within a few seconds.
        """
        async with self._starting:
            if self._orphaned is None:
                self._orphaned = asyncio.create_task(end_if_orphaned())
            if self._api is None:
                self._api = await LocalLiveApi.start(*self._started_with)
        api = self._api
        address = await api.address() if wait else api.newest_address
        return EngineState(address, api.answers_within_s, api.problem, api.restarts)

    async def close(self) -> None:
        """End it."""
        if self._api is not None:
            await self._api.close()


class SharedEngine:
    """The local Live API of this worker's node, as `LocalApi`."""

    def __init__(self, find: Callable[[], Any], state: EngineState) -> None:
        self._find = find
        self._state = state
        self.answers_within_s = state.answers_within_s
        self.problem = state.problem
        self.restarts = state.restarts
        self._watching = asyncio.create_task(self._watch(), name="the node's local Live API")

    @classmethod
    async def of_node(cls, settings: Settings, generation: str, node: str, calls: int) -> Self:
        """The local Live API of a node; the first worker there starts it.

        Args:
            settings: The options.
            generation: The deployment.
            node: The Ray node's id.
            calls: See `NodeEngine`.
        """
        # Imported here: neither the fleet nor `NodeEngine` needs these modules.
        from vision_agent.server.options import agent_options

        options = agent_options(settings)

        def find() -> Any:
            return (
                ray.remote(NodeEngine)
                .options(
                    name=f"{PREFIX}.{generation}.{node}",
                    namespace=NAMESPACE,
                    lifetime="detached",
                    get_if_exists=True,
                    num_cpus=0,
                    max_restarts=-1,
                    max_task_retries=0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
                )
                .remote(options.scenario, options.data_dir, options.own_models, calls)
            )

        handle = await asyncio.to_thread(find)
        async with asyncio.timeout(2 * START_TIMEOUT_S):
            return cls(find, await handle.state.remote())

    @property
    def newest_address(self) -> Address:
        """Where it listens, or listened."""
        return self._state.address

    async def address(self) -> Address:
        """Where it listens; waits during a restart; `LocalLiveApiAway` if that takes too long."""
        try:
            async with asyncio.timeout(AWAY_S):
                self._take(await self._find().state.remote(wait=True))
        except (TimeoutError, RayError) as error:
            logger.warning("The local Live API of the node is away: %s", error)
            raise LocalLiveApiAway("The local Live API is being started again.") from error
        return self._state.address

    async def close(self) -> None:
        """Stop using it; other workers may continue."""
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    def _take(self, state: EngineState) -> None:
        self._state, self.problem, self.restarts = state, state.problem, state.restarts

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                async with asyncio.timeout(AWAY_S):
                    self._take(await self._find().state.remote())
            except (TimeoutError, RayError) as error:
                self.problem = "The local Live API is being started again."
                logger.warning("%s %s", self.problem, error)
