"""Chooses one of several TURN servers. aiortc takes the first one, whether it answers or not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aioice import stun, turn
from aiortc import RTCIceServer

from vision_agent.ice_servers import IceUrl

_NEXT_S = 0.25
_WAIT_S = 3.0


async def with_one_relay(servers: Sequence[RTCIceServer]) -> list[RTCIceServer]:
    """Keep only the first TURN server that gives an address; all if there is one, or none answers.

    Each is tried shortly after the one before, so that their order is that of preference.
    """
    single = [
        RTCIceServer(url, server.username, server.credential)
        for server in servers
        for url in ([server.urls] if isinstance(server.urls, str) else server.urls)
    ]
    relays = [server for server in single if str(server.urls).startswith("turn")]
    if len(relays) < 2:
        return list(servers)
    trials = [
        asyncio.create_task(_gives_address(server, number * _NEXT_S))
        for number, server in enumerate(relays)
    ]
    try:
        for trial in asyncio.as_completed(trials, timeout=_WAIT_S):
            if (chosen := await trial) is not None:
                return [server for server in single if server not in relays or server is chosen]
    except TimeoutError:
        pass
    finally:
        for task in trials:
            task.cancel()
        await asyncio.wait(trials)
    return list(servers)


async def _gives_address(server: RTCIceServer, after_s: float) -> RTCIceServer | None:
    await asyncio.sleep(after_s)
    at = IceUrl.parse(str(server.urls))
    try:
        allocation, _ = await turn.create_turn_endpoint(
            asyncio.DatagramProtocol,
            server_addr=(at.host, at.port),
            username=server.username,
            password=server.credential,
            ssl=at.tls or None,
            transport=at.transport,
        )
    except (OSError, stun.TransactionError):
        return None
    allocation.close()
    return server
