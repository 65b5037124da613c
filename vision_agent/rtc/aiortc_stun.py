"""The addresses at which STUN servers see this machine, within a bounded time.

One of the files that touch private parts of aiortc and aioice (see `aiortc_patches`). aioice asks
one STUN server and waits up to 5 s for it, and the answer to the offer waits as long. Here all
servers of the peer (`relays.current_stun`) are asked at once, for half a second, from each socket;
those that have not answered lately are left out.

Written for aioice 0.13.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from vision_agent.rtc import relays
from vision_agent.rtc.aiortc_shape import check_functions
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aioice import Candidate
from vision_agent.rtc.relays import NOT_SEEN, Outages, StunServer

ice_module: Any = aioice.ice

ANSWER_S = 0.5
"""How long an answer waits for the first STUN server: one round trip, and the look-up of a name."""

OTHERS_S = 0.1
"""How long it waits for more once one has answered: not every address reaches every server."""

outages: Outages[StunServer] = Outages(NOT_SEEN, "Calls are answered without it.")


async def server_reflexive(protocols: Sequence[Any]) -> list[Candidate]:
    """The addresses at which the peer's STUN servers see these sockets, each once.

    Args:
        protocols: aioice's, each with its host candidate; it asks over IPv4 only.
    """
    sockets = [each for each in protocols if "." in each.local_candidate.host]
    servers = outages.to_ask(relays.current_stun.get(), time.monotonic()) if sockets else []
    if not servers:
        return []
    asked: dict[asyncio.Task[tuple[Candidate, None]], StunServer] = {}
    for server in servers:
        for each in sockets:
            asking = ice_module.server_reflexive_candidate(each, (server.at.host, server.at.port))
            asked[asyncio.create_task(asking)] = server
    try:
        running = set(asked)
        deadline_s = time.monotonic() + ANSWER_S
        while running and (left_s := deadline_s - time.monotonic()) > 0:
            done, running = await asyncio.wait(
                running, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if any(task.exception() is None for task in done):
                deadline_s = min(deadline_s, time.monotonic() + OTHERS_S)
    finally:
        for task in asked:
            task.cancel()
    found = {
        (seen.host, seen.port, seen.related_address): seen
        for task in asked
        if (seen := _seen(task)) is not None
    }
    for server in servers:
        tasks = [task for task, of in asked.items() if of is server]
        if any(_seen(task) is not None for task in tasks):
            outages.worked(server)
        elif not found or all(task.done() for task in tasks):
            # Where another server was quicker, this one may only be slow.
            outages.failed(server, _why(tasks), time.monotonic())
    return list(found.values())


def _seen(task: asyncio.Task[tuple[Candidate, None]]) -> Candidate | None:
    if not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()[0]


def _why(tasks: Sequence[asyncio.Task[tuple[Candidate, None]]]) -> str:
    failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    words = [str(error) or type(error).__name__ for error in failed if error is not None]
    return words[0] if words else f"no answer within {ANSWER_S:g} s"


def check() -> None:
    """Checks the part of aioice that this file calls.

    Raises:
        Changed: It differs from what this file expects.
    """
    check_functions([(aioice.ice, "server_reflexive_candidate", ["protocol", "stun_server"])])
