"""Relayed candidates from any of several TURN servers, within a bounded time.

One of the files that touch private parts of aiortc and aioice (see `aiortc_patches`). aioice asks
one TURN server and waits up to 5 s for it, and the answer to the offer waits as long. This file
replaces ``relayed_candidate``: it asks the servers of the peer (`relays.current`) one shortly after
the other, takes the first that gives an address, and leaves out those that gave none lately. The
servers' order is that of preference, as for browsers: UDP first, TLS last.

Written for aioice 0.13.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Sequence
from typing import Any

from vision_agent.rtc import relays
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.own import aioice
from vision_agent.rtc.own.aioice import Candidate, stun, turn
from vision_agent.rtc.own.aioice.ice import StunProtocol
from vision_agent.rtc.relays import Outages, TurnServer

ice_module: Any = aioice.ice

ALLOCATE_S = 2.0
"""How long an answer waits for a relayed candidate: over TLS, one takes five round trips."""

NEXT_SERVER_S = 0.25
"""Another server is asked when the ones before have not answered within this time."""

CHANNEL_REFRESH_S = 240
"""A channel lasts 600 s, but its permission only 300 (RFC 8656 9 and 12). aioice renews both after
500 s, and in between some servers relay nothing."""

outages: Outages[TurnServer] = Outages()

_stock_relayed_candidate = aioice.ice.relayed_candidate
_INNER = "_TurnTransport__inner_protocol"

Relayed = tuple[Candidate, StunProtocol]


@functools.wraps(_stock_relayed_candidate)
async def relayed_candidate(**asked: Any) -> Relayed:
    """Returns a relayed candidate and its protocol; replaces aioice's function of the same name.

    Args:
        asked: aioice's arguments. The server that they name is used only for a connection that is
            not of a `Peer`.

    Raises:
        ConnectionError: no server gave an address.
    """
    servers = relays.current.get()
    if not servers:  # a caller's connection, in a process that serves calls as well
        return await _stock_relayed_candidate(**asked)
    return await _first_of(outages.to_ask(servers, time.monotonic()), asked)


async def _first_of(servers: Sequence[TurnServer], asked: dict[str, Any]) -> Relayed:
    tasks: dict[asyncio.Task[Relayed], TurnServer] = {}
    waiting = list(servers)
    deadline_s = time.monotonic() + ALLOCATE_S
    running: set[asyncio.Task[Relayed]] = set()
    won: asyncio.Task[Relayed] | None = None
    try:
        while waiting or running:
            if waiting:
                server = waiting.pop(0)
                task = asyncio.create_task(_relayed_by(server, asked))
                tasks[task] = server
                running.add(task)
            left_s = max(0.0, deadline_s - time.monotonic())
            done, running = await asyncio.wait(
                running,
                timeout=min(NEXT_SERVER_S, left_s) if waiting else left_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                if (error := task.exception()) is None:
                    outages.worked(tasks[task])
                    won = task
                    return task.result()
                outages.failed(tasks[task], _in_words(error), time.monotonic())
            if time.monotonic() >= deadline_s:
                break
        for task in running:
            outages.failed(tasks[task], f"no answer within {ALLOCATE_S:g} s", time.monotonic())
        raise ConnectionError("No TURN server gave an address.")
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
            elif task is not won and not task.cancelled() and task.exception() is None:
                task.result()[1].transport.close()


async def _relayed_by(server: TurnServer, asked: dict[str, Any]) -> Relayed:
    candidate, protocol = await _stock_relayed_candidate(
        **{
            **asked,
            "turn_server": (server.at.host, server.at.port),
            "turn_username": server.username,
            "turn_password": server.password,
            "turn_ssl": server.at.tls,
            "turn_transport": server.at.transport,
        }
    )
    getattr(protocol.transport, _INNER).channel_refresh_time = CHANNEL_REFRESH_S
    return candidate, protocol


def _in_words(error: BaseException) -> str:
    if isinstance(error, stun.TransactionFailed):
        code, reason = error.response.attributes.get("ERROR-CODE", (0, "no reason given"))
        return f"it answers {code} {reason}".strip()
    return str(error) or type(error).__name__


def install() -> None:
    """Installs the replacement in aioice's module."""
    ice_module.relayed_candidate = relayed_candidate


_PARAMETERS = [
    *("component", "hide_related_address", "protocol_factory"),
    *("turn_server", "turn_username", "turn_password", "turn_ssl", "turn_transport"),
]


def check() -> None:
    """Checks the parts of aioice that this file replaces.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions([(aioice.ice, "relayed_candidate", _PARAMETERS)])
    check_attributes(turn.TurnTransport, [_INNER])
    check_attributes(turn.TurnClientMixin, ["channel_refresh_time"])
    check_uses([(aioice.ice.Connection.get_component_candidates, "relayed_candidate")])
