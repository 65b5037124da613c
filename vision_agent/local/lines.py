"""Which connections a server keeps if there are more than it allows. Pure.

A line is a place for one WebSocket. A client that requests one is admitted, refused, or admitted in
the place of a connection that has been silent for a while.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST_PER_ADDRESS = 16
"""Lines for one remote address. Programs on this machine share an address, so this limit does not
apply to them."""

SILENT_S = 10.0
"""A connection without a message for this long gives its line to a new client that needs one. A
microphone sends fifty messages a second, even in silence."""

_T = TypeVar("_T", bound=Hashable)


class NoLine(Exception):
    """All lines are taken, or all lines that one address may have.

    Attributes:
        of_address: Whether the address has reached its limit.
    """

    def __init__(self, *, of_address: bool) -> None:
        super().__init__("no free line")
        self.of_address = of_address


@dataclass(slots=True)
class _Line:
    network: str | None
    stirred_s: float


class Lines(Generic[_T]):
    """The lines of one server. All times are seconds of the same clock.

    Args:
        most: How many lines there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[_T, _Line] = {}

    def __iter__(self) -> Iterator[_T]:
        return iter(tuple(self._taken))

    def take(self, who: _T, address: str, now_s: float) -> _T | None:
        """Gives ``who`` a line.

        Returns:
            The connection that lost its line to ``who``, if any; the caller has to end it.

        Raises:
            NoLine: No line is available.
        """
        network = _network(address)
        of_address = [
            one for one, line in self._taken.items() if network and line.network == network
        ]
        crowded = len(of_address) >= MOST_PER_ADDRESS
        silent = None
        if crowded or len(self._taken) >= self._most:
            silent = self._most_silent(of_address if crowded else list(self._taken), now_s)
            if silent is None:
                raise NoLine(of_address=crowded)
            del self._taken[silent]
        self._taken[who] = _Line(network, now_s)
        return silent

    def stirred(self, who: _T, now_s: float) -> None:
        """Note that a message was sent or received on the connection."""
        if line := self._taken.get(who):
            line.stirred_s = now_s

    def leave(self, who: _T) -> None:
        """Free the line of a connection that has ended. Safe to repeat."""
        self._taken.pop(who, None)

    def _most_silent(self, among: list[_T], now_s: float) -> _T | None:
        chosen = min(among, key=lambda one: self._taken[one].stirred_s, default=None)
        if chosen is None or now_s - self._taken[chosen].stirred_s < SILENT_S:
            return None
        return chosen


def _network(address: str) -> str | None:
    """The network that counts as one address; None for this machine.

    An IPv6 host has 2**64 addresses.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return _network(str(ip.ipv4_mapped))
        return None if ip.is_loopback else str(ipaddress.ip_network((ip, 64), strict=False))
    return None if ip.is_loopback else str(ip)
