"""STUN and TURN servers that don't answer: which ones are still asked, and the log. No I/O."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vision_agent.ice_servers import IceUrl
from vision_agent.rtc import failures
from vision_agent.rtc.own.aiortc import RTCIceServer

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2.0
LONGEST_S = 60.0
"""A server that gave no address is asked again after this time, by one call; each time that it
gives none the pause is twice as long, up to the longest. A relay that restarts is soon used again.
"""

NO_ADDRESS = "A TURN server gave no address"
NOT_SEEN = "A STUN server did not say this server's address"


@dataclass(frozen=True, slots=True)
class StunServer:
    """A STUN server."""

    url: str
    at: IceUrl


@dataclass(frozen=True, slots=True)
class TurnServer:
    """A TURN server, with the credentials of one call."""

    url: str
    at: IceUrl
    username: str
    password: str = field(repr=False)


# aioice supports one STUN and one TURN server, so the code that replaces it finds the peer's here.
current: ContextVar[Sequence[TurnServer]] = ContextVar("relays", default=())
current_stun: ContextVar[Sequence[StunServer]] = ContextVar("stun", default=())


def turn_servers(servers: Sequence[RTCIceServer]) -> list[TurnServer]:
    """The TURN servers of a list, in its order, one for each URL that can be used."""
    return [
        TurnServer(url, at, server.username or "", server.credential or "")
        for server, url, at in _urls(servers)
        if at.is_turn
    ]


def stun_servers(servers: Sequence[RTCIceServer]) -> list[StunServer]:
    """The STUN servers of a list that aioice can ask: by UDP over IPv4."""
    return [
        StunServer(url, at)
        for _, url, at in _urls(servers)
        if not at.is_turn and not at.tls and ":" not in at.host
    ]


def _urls(servers: Sequence[RTCIceServer]) -> Iterator[tuple[RTCIceServer, str, IceUrl]]:
    for server in servers:
        for url in [server.urls] if isinstance(server.urls, str) else server.urls:
            with contextlib.suppress(ValueError):
                yield server, url, IceUrl.parse(url)


Server = TypeVar("Server", StunServer, TurnServer)


class Outages(Generic[Server]):
    """Which servers gave no address lately.

    An unreachable server costs the answer to an offer its time limit. So only one call at a time
    waits for it, after a pause; others are answered at once, without that server.

    Args:
        kind: `NO_ADDRESS` or `NOT_SEEN`, under which failures are counted.
        consequence: a sentence about the calls.
    """

    def __init__(
        self,
        kind: str = NO_ADDRESS,
        consequence: str = "Calls that need it don't connect; others are answered without it.",
    ) -> None:
        self._kind = kind
        self._consequence = consequence
        self._silent_until_s: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}

    def to_ask(self, servers: Sequence[Server], now_s: float) -> list[Server]:
        """The servers that are to be asked."""
        due = [server for server in servers if self._silent_until_s.get(server.url, 0.0) <= now_s]
        for server in due:
            if server.url in self._silent_until_s:  # this call tries it for all others
                self._silent_until_s[server.url] = now_s + self._pause_s[server.url]
        return due

    def failed(self, server: Server, why: str, now_s: float) -> None:
        """Counts a failure; it is logged when the server has not failed just before."""
        failures.counts[self._kind] += 1
        if server.url not in self._silent_until_s:
            logger.warning(
                "%s gives no address: %s. %s It is asked again, at last every %.0f s.",
                server.url,
                why,
                self._consequence,
                LONGEST_S,
            )
        pause_s = min(LONGEST_S, 2 * self._pause_s.get(server.url, RETRY_AFTER_S / 2))
        self._pause_s[server.url] = pause_s
        self._silent_until_s[server.url] = now_s + pause_s

    def worked(self, server: Server) -> None:
        """Notes that a server gave an address."""
        self._pause_s.pop(server.url, None)
        if self._silent_until_s.pop(server.url, None) is not None:
            logger.warning("%s gives addresses again.", server.url)
