"""A worker: the Ray actor that answers calls."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import ray

from vision_agent.cluster.engine import SharedEngine
from vision_agent.cluster.options import ClusterOptions
from vision_agent.cluster.orphan import until_orphaned
from vision_agent.cluster.worker_state import WorkerDidNotStart, WorkerState
from vision_agent.logs import start_logging

if TYPE_CHECKING:
    from vision_agent.cluster.served import Served

logger = logging.getLogger(__name__)

PREFIX = "worker"
LOOK_EVERY_S = 0.5
ALONE_AFTER_S = 60.0
"""A worker that no fleet asks for this long ends: it would get no calls."""


class CallWorker:
    """An asynchronous actor: Ray's own event loop runs its methods; another one runs the calls.

    Each call in progress is a running task of the actor, `call w….…`, so that Ray's dashboard and
    its state API show it.

    Args:
        name: Its name, with which the ids of its calls begin.
        options: The deployment.
    """

    def __init__(self, name: str, options: ClusterOptions) -> None:
        # Imported here: the fleet, which starts workers, needs neither ADK nor aiortc.
        from vision_agent.cluster.served import Served

        start_logging(verbose=False)
        context = ray.get_runtime_context()
        settings = options.settings.model_copy(update={"worker": name, "operator_port": None})
        node = context.get_node_id()
        cores = next(each for each in ray.nodes() if each["NodeID"] == node)["Resources"]
        most = max(1, int(cores.get("CPU", 1) / options.cpus)) * settings.max_calls
        self._why_not = ""
        try:
            self._server = Served(
                settings,
                "127.0.0.1" if options.on_loopback else ray.util.get_node_ip_address(),
                partial(SharedEngine.of_node, settings, options.generation, node, most),
            )
        except (RuntimeError, ValueError, OSError) as error:
            # Kept for those who ask: from an actor's constructor, Ray would print the traceback.
            self._why_not = str(error) or type(error).__name__
        self._name, self._options, self._node = name, options, node
        self._over: dict[str, asyncio.Event] = {}
        self._asked_at_s = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._orphaned: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None

    @property
    def _served(self) -> Served:
        if self._why_not:
            raise WorkerDidNotStart(self._why_not)
        return self._server

    async def state(self) -> WorkerState:
        """The worker's present state.

        Raises:
            WorkerDidNotStart: See there.
        """
        served = self._served
        self._asked_at_s = asyncio.get_running_loop().time()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._orphaned = asyncio.create_task(self._come_back_elsewhere())
        return WorkerState(
            name=self._name,
            generation=self._options.generation,
            node=self._node,
            pid=os.getpid(),
            url=served.url,
            key=served.key,
            udp=served.udp,
            calls=len(served.calls),
            capacity=self._options.settings.max_calls,
            draining=served.draining,
            problem=served.problem,
        )

    async def call(self, call_id: str) -> None:
        """Last as long as the call does."""
        if over := self._over.get(call_id):
            await over.wait()

    async def drain(self, grace_s: float) -> None:
        """Take no more calls, let those in progress continue for a while, then end the actor."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._served.drain(grace_s))
        await asyncio.shield(self._draining)
        ray.actor.exit_actor()

    async def _come_back_elsewhere(self) -> None:
        """When the node has ended, send the callers to another worker, and end."""
        await until_orphaned()
        logger.warning(
            "The node of worker %s has ended: its callers come back elsewhere.", self._name
        )
        await self._served.drain(0.0)
        os._exit(1)

    async def _look(self) -> None:
        """Show the calls in progress as tasks; end if there is no fleet."""
        this: Any = ray.get_runtime_context().current_actor
        now_s = asyncio.get_running_loop().time
        while now_s() - self._asked_at_s < ALONE_AFTER_S:
            there = set(self._served.calls)
            for call_id in there - self._over.keys():
                self._over[call_id] = asyncio.Event()
                this.call.options(name=f"call {call_id}").remote(call_id)
            for call_id in self._over.keys() - there:
                self._over.pop(call_id).set()
            await asyncio.sleep(LOOK_EVERY_S)
        logger.warning("No fleet has asked for %s for a minute: it ends.", self._name)
        this.drain.remote(self._options.settings.drain_s)
