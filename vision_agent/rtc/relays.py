"""TURN servers that don't answer: which are asked, and what is said about them. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from aiortc import RTCIceServer

from vision_agent.ice_servers import IceUrl
from vision_agent.rtc import failures

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 60.0
"""A server that gave no address is asked again after this time, by one call."""

NO_ADDRESS = "A TURN server gave no address"


@dataclass(frozen=True, slots=True)
class TurnServer:
    """A TURN server, with the credentials of one call."""

    url: str
    at: IceUrl
    username: str
    password: str = field(repr=False)


# aioice asks for a relayed candidate of one server, so the function that asks finds the peer's
# servers here.
current: ContextVar[Sequence[TurnServer]] = ContextVar("relays", default=())


def turn_servers(servers: Sequence[RTCIceServer]) -> list[TurnServer]:
    """The TURN servers of a list, in its order, one for each URL that can be used."""
    found = []
    for server in servers:
        for url in [server.urls] if isinstance(server.urls, str) else server.urls:
            try:
                at = IceUrl.parse(url)
            except ValueError:
                continue
            if at.is_turn:
                found.append(TurnServer(url, at, server.username or "", server.credential or ""))
    return found


def stun_servers(servers: Sequence[RTCIceServer]) -> list[RTCIceServer]:
    """The STUN servers of a list that aioice can ask: by UDP over IPv4."""
    urls = [url for s in servers for url in ([s.urls] if isinstance(s.urls, str) else s.urls)]
    return [RTCIceServer(url) for url in urls if url.startswith("stun:") and "[" not in url]


class Outages:
    """Which TURN servers gave no address lately.

    An unreachable server costs the answer to an offer its time limit. So only one call in
    `RETRY_AFTER_S` waits for it; others are answered at once, without that server.
    """

    def __init__(self) -> None:
        self._silent_until_s: dict[str, float] = {}

    def to_ask(self, servers: Sequence[TurnServer], now_s: float) -> list[TurnServer]:
        """The servers that are to be asked."""
        due = [server for server in servers if self._silent_until_s.get(server.url, 0.0) <= now_s]
        for server in due:
            if server.url in self._silent_until_s:  # this call tries it for all others
                self._silent_until_s[server.url] = now_s + RETRY_AFTER_S
        return due

    def failed(self, server: TurnServer, why: str, now_s: float) -> None:
        """Counts a failure; it is logged when the server has not failed just before."""
        failures.counts[NO_ADDRESS] += 1
        if server.url not in self._silent_until_s:
            logger.warning(
                "%s gives no address: %s. Calls that need it don't connect; others are answered "
                "without it. It is asked again every %.0f s.",
                server.url,
                why,
                RETRY_AFTER_S,
            )
        self._silent_until_s[server.url] = now_s + RETRY_AFTER_S

    def worked(self, server: TurnServer) -> None:
        """Notes that a server gave an address."""
        if self._silent_until_s.pop(server.url, None) is not None:
            logger.warning("%s gives addresses again.", server.url)
