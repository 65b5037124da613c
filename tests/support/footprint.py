"""The resources of a server: threads, files, tasks, calls, memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psutil

from tests.support.metrics import metrics
from tests.support.waiting import until


def footprint(server) -> Footprint:
    values = metrics(server.url)
    process = psutil.Process(server.pid)
    return Footprint(
        threads=process.num_threads(),
        files=process.num_fds(),
        tasks=int(values["vision_agent_tasks"]),
        calls=int(values["vision_agent_calls"]),
        model_sessions=int(values["vision_agent_model_sessions"]),
        rss_mb=process.memory_info().rss / 1e6,
    )


async def settled(server) -> Footprint:
    """The footprint once every call is over."""

    async def over() -> Footprint | None:
        now = await asyncio.to_thread(footprint, server)
        return None if now.calls or now.model_sessions else now

    return await until(over, what="every call is over")


@dataclass
class Footprint:
    """The resources of a server process, from outside and from its own metrics."""

    threads: int
    files: int
    tasks: int
    calls: int
    model_sessions: int
    rss_mb: float
