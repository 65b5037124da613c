"""The fleet: starts the workers, watches them, and tells them what to do."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vision_agent.cluster import engine, worker
from vision_agent.cluster.options import NAMESPACE, ClusterOptions
from vision_agent.cluster.orphan import end_if_orphaned
from vision_agent.cluster.placement import emptiest
from vision_agent.cluster.scaling import Scaling, Seen
from vision_agent.cluster.worker import CallWorker
from vision_agent.cluster.worker_state import WorkerDidNotStart, WorkerState, why_not_started
from vision_agent.logs import start_logging

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
SILENT_AFTER_S = 4.0
"""A worker that reports nothing for this long gets no requests, and another one is started …"""

GIVEN_UP_AFTER_S = 20.0
"""… and is killed after this: its callers have come back elsewhere."""

SAYS_WHY_S = 3.0
"""How long a worker that can't start stays, so that others can ask for the reason."""

END_S = 10.0
"""How much longer than its calls a worker may take to end."""


@dataclass(slots=True)
class _Worker:
    """A worker that the fleet watches."""

    name: str
    generation: str
    handle: Any
    began_s: float
    reported_at_s: float
    node: str | None
    state: WorkerState | None = None
    told_to_drain: bool = False

    def is_silent(self, now_s: float) -> bool:
        return self.state is not None and now_s - self.reported_at_s > SILENT_AFTER_S

    def seen(self, capacity: int) -> Seen:
        state = self.state
        return Seen(
            name=self.name,
            generation=self.generation,
            began_s=self.began_s,
            ready=state is not None,
            draining=self.told_to_drain or (state is not None and state.draining),
            calls=state.calls if state else 0,
            capacity=state.capacity if state else capacity,
        )


class Fleet:
    """A Serve deployment of one replica.

    It is stateless: a new replica finds the workers by their names, `worker.GENERATION.NAME`, so
    the end of a replica costs no call.

    Args:
        options: The deployment.
    """

    async def __init__(self, options: ClusterOptions) -> None:  # type: ignore[misc]  # Serve awaits it
        start_logging(verbose=False)
        self._options = options
        self._scaling = Scaling(options.generation, options.least, options.most)
        self._workers: dict[str, _Worker] = {}
        self._watches: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._looking = asyncio.create_task(self._look())
        self._orphaned = asyncio.create_task(end_if_orphaned())

    async def table(self) -> list[WorkerState]:
        """The workers that can be reached."""
        now_s = asyncio.get_running_loop().time()
        return [
            one.state
            for one in self._workers.values()
            if one.state is not None and not one.is_silent(now_s)
        ]

    async def stop(self, grace_s: float) -> None:
        """End everything: no new calls, and those in progress may continue for a while."""
        self._stopping = True
        for one in list(self._workers.values()):
            self._drain(one, grace_s)
        if self._watches:
            await asyncio.wait(self._watches, timeout=grace_s + END_S)
        for one in list(self._workers.values()):
            ray.kill(one.handle)
        await self._end_engines()

    def check_health(self) -> None:
        """Raise if the fleet is no longer watched over: Serve then replaces this replica."""
        if self._looking.done():
            raise RuntimeError("the fleet has stopped looking after its workers")

    async def _look(self) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            try:
                await self._find()
                if not self._stopping:
                    await self._act(now_s())
                    await self._end_engines()
            except RayError as error:
                logger.warning("The workers can't be looked after: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _find(self) -> None:
        """Watch the workers that other replicas have started."""
        for name in await asyncio.to_thread(_actors, worker.PREFIX):
            generation, unique = name.split(".")[1:]
            if unique not in self._workers:
                try:
                    handle = await asyncio.to_thread(ray.get_actor, name, NAMESPACE)
                except ValueError:
                    continue  # it has ended meanwhile
                self._watch(unique, generation, handle)

    async def _act(self, now_s: float) -> None:
        capacity = self._options.settings.max_calls
        reporting = [one for one in self._workers.values() if not one.is_silent(now_s)]
        change = self._scaling.judge([one.seen(capacity) for one in reporting], now_s)
        for _ in range(change.start):
            node = await self._place(now_s)
            unique = f"w{secrets.token_hex(3)}"
            handle = (
                ray.remote(CallWorker)
                .options(
                    name=f"{worker.PREFIX}.{self._options.generation}.{unique}",
                    namespace=NAMESPACE,
                    lifetime="detached",
                    num_cpus=self._options.cpus,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(
                        node, soft=True, _spill_on_unavailable=True
                    )
                    if node
                    else "SPREAD",
                )
                .remote(unique, self._options)
            )
            self._watch(unique, self._options.generation, handle, node)
        for name in change.drain:
            self._drain(self._workers[name], self._options.settings.drain_s)
        for one in self._workers.values():
            if one.state is not None and now_s - one.reported_at_s > GIVEN_UP_AFTER_S:
                logger.warning("Worker %s no longer answers and is ended.", one.name)
                ray.kill(one.handle)

    async def _place(self, now_s: float) -> str | None:
        """The node with the fewest workers for its size; None if Ray is to choose."""
        there = Counter(one.node for one in self._workers.values() if one.node)
        away = {one.node for one in self._workers.values() if one.is_silent(now_s)}
        return emptiest(await asyncio.to_thread(ray.nodes), there, away, self._options.cpus)

    def _drain(self, one: _Worker, grace_s: float) -> None:
        one.told_to_drain = True
        if one.state is None:
            ray.kill(one.handle)
        else:
            one.handle.drain.remote(grace_s)

    def _watch(self, unique: str, generation: str, handle: Any, node: str | None = None) -> None:
        now_s = asyncio.get_running_loop().time()
        one = self._workers[unique] = _Worker(unique, generation, handle, now_s, now_s, node)
        task = asyncio.create_task(self._watch_until_it_ends(one))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _watch_until_it_ends(self, one: _Worker) -> None:
        now_s = asyncio.get_running_loop().time
        try:
            while True:
                try:
                    state = await one.handle.state.remote()
                except ActorUnavailableError:
                    await asyncio.sleep(LOOK_EVERY_S)  # it can't be reached for the moment
                    continue
                if one.state is None and one.generation == self._options.generation:
                    self._scaling.started()
                one.state, one.reported_at_s, one.node = state, now_s(), state.node
                await asyncio.sleep(LOOK_EVERY_S)
        except WorkerDidNotStart as error:
            logger.warning("Worker %s can't start: %s", one.name, why_not_started(error))
            if one.generation == self._options.generation:
                self._scaling.failed(now_s())
            await asyncio.sleep(SAYS_WHY_S)
            ray.kill(one.handle)
        except RayActorError as error:
            expected = one.told_to_drain or (one.state is not None and one.state.draining)
            if not expected:
                logger.warning("Worker %s has ended: %s", one.name, str(error).splitlines()[-1])
            if one.state is None and not expected:
                self._scaling.failed(now_s())
            elif one.state is not None and not expected:
                self._scaling.lost(one.state.calls, now_s())
        finally:
            self._workers.pop(one.name, None)

    async def _end_engines(self) -> None:
        """End the local Live APIs that no worker uses."""
        used = {
            f"{engine.PREFIX}.{one.generation}.{one.state.node}"
            for one in self._workers.values()
            if one.state is not None
        }
        if any(one.state is None for one in self._workers.values()):
            return  # a worker that starts may be about to use one
        for name in await asyncio.to_thread(_actors, engine.PREFIX):
            if name in used:
                continue
            try:
                handle = await asyncio.to_thread(ray.get_actor, name, NAMESPACE)
            except ValueError:
                continue
            ray.kill(handle)  # its child ends with it


def _actors(prefix: str) -> list[str]:
    """The names of the actors of a kind."""
    names: list[str] = ray.util.list_named_actors()
    return [name for name in names if name.startswith(f"{prefix}.")]
