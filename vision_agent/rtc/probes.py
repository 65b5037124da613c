"""Which of a caller's addresses are sent connectivity checks. No I/O, no clock."""

from __future__ import annotations

import ipaddress

from vision_agent.rtc.budget import Budget
from vision_agent.rtc.network import Network

MAX_PROBED = 10
"""How many of the caller's addresses are sent checks: a caller may name anybody's address."""

MAX_PRIVATE = 4
"""How many of them may be private ones, such as those of our own network.

A caller in the same network has one or two, and connects by its own checks in any case.
"""

PRIVATE_PER_S, PRIVATE_BURST = 1.0, 80.0
"""How many private addresses all callers together may name."""

MAX_RELAYED = 3
"""How many more may be relays, where this side has a relay itself.

A browser names an address for each section and TURN server, the relays last. Our own relay lets
nobody through to whom it has not sent (RFC 8656 9), so the caller's checks can't show that address.
"""

FIRST_PORT = 1024
"""The lowest port that is probed. Lower ports are services', and no ICE stack uses one for a
call."""


def private_budget() -> Budget:
    """The private addresses that the callers of one server may name."""
    return Budget(PRIVATE_PER_S, PRIVATE_BURST)


class Probes:
    """The addresses of one caller that get checks.

    A caller whose addresses are left out can still connect: its first check shows its address
    (RFC 8445 7.3.1.3).

    Args:
        network: the network side of the call.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._private_budget = network.private_budget or private_budget()
        self._allowed: set[tuple[str, int]] = set()
        self._private = 0
        self._relayed = 0

    def allow(self, host: str, port: int, now_s: float, *, relayed: bool = False) -> bool:
        """Whether an address gets checks.

        Args:
            host: an IP address that the caller has named.
            port: its port.
            now_s: the time, monotonic.
            relayed: whether it is a relay, and this side has one too.
        """
        if port < FIRST_PORT or not self._network.is_worth_a_check(host):
            return False
        address = (host, port)
        if address in self._allowed:
            return True
        if relayed and self._relayed < MAX_RELAYED:
            self._relayed += 1
            self._allowed.add(address)
            return True
        if len(self._allowed) - self._relayed >= MAX_PROBED:
            return False
        if _is_private(host):
            if self._private >= MAX_PRIVATE or not self._private_budget.take(now_s):
                return False
            self._private += 1
        self._allowed.add(address)
        return True


def _is_private(host: str) -> bool:
    """Whether an address may belong to our own network; this machine's loopback does not."""
    address = ipaddress.ip_address(host)
    return not address.is_global and not address.is_loopback
