"""What a server holds: threads, files, tasks, calls, memory."""

from __future__ import annotations

import asyncio
import urllib.request
from dataclasses import dataclass

import psutil


def footprint(server) -> Footprint:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    process = psutil.Process(server.pid)
    return Footprint(
        threads=process.num_threads(),
        files=process.num_fds(),
        tasks=int(float(values["vision_agent_tasks"])),
        calls=int(float(values["vision_agent_calls"])),
        model_sessions=int(float(values["vision_agent_model_sessions"])),
        rss_mb=process.memory_info().rss / 1e6,
    )


async def settled(server) -> Footprint:
    """The footprint once every call is over."""
    async with asyncio.timeout(30):
        while (now := await asyncio.to_thread(footprint, server)).calls or now.model_sessions:
            await asyncio.sleep(0.1)
    return now


@dataclass
class Footprint:
    """What a server process holds, seen from outside and from its own metrics."""

    threads: int
    files: int
    tasks: int
    calls: int
    model_sessions: int
    rss_mb: float
