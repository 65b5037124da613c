"""The addresses on which a call receives media, and the caller's addresses that are sent checks."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from vision_agent.rtc.budget import Budget
from vision_agent.rtc.udp_ports import OnePort, PortRange

LOOPBACK = "127.0.0.1"
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Network:
    """The network side of one call.

    Attributes:
        host: the address on which media is received; empty for all addresses of this machine.
        caller_is_local: whether the caller is on this machine.
        ports: the UDP ports; None for any free ones.
        public_addresses: announced besides this machine's own (`public_address`).
        private_budget: the private addresses that all callers together may name (`probes`).
    """

    host: str = ""
    caller_is_local: bool = True
    ports: OnePort | PortRange | None = None
    public_addresses: tuple[str, ...] = ()
    private_budget: Budget | None = None

    def addresses(self, all_of_machine: Sequence[str]) -> list[str]:
        """The addresses to receive on, given those of this machine (without loopback).

        127.0.0.1 is included unless `host` is another address, so that a call works without a
        network.
        """
        if self.host and not is_loopback(self.host):
            return [self.host]
        # A browser that opens the page at [::1] has IPv4 sockets as well.
        addresses = [self.host] if self.host else list(all_of_machine)
        return [*(address for address in addresses if address != LOOPBACK), LOOPBACK]

    def more_addresses(self, offered: Sequence[str], all_of_machine: Sequence[str]) -> list[str]:
        """More addresses of a server on loopback, for a local caller that can't reach loopback.

        libnice binds each socket to its interface (`IP_UNICAST_IF`), so what it sends from there to
        127.0.0.1 does not arrive, even on the same machine.

        Args:
            offered: the hosts of the caller's candidates.
            all_of_machine: the addresses of this machine, without loopback.

        Returns:
            The addresses of this machine that the caller names as its own.
        """
        if not (self.caller_is_local and is_loopback(self.host)):
            return []
        return [address for address in all_of_machine if address in offered]

    def is_worth_a_check(self, host: str) -> bool:
        """Whether a candidate's address is sent connectivity checks.

        An address that does not belong to a single machine can't be reached, and the loopback
        address of a caller elsewhere is not this machine's. A caller whose addresses are left out
        can still connect: its first check shows its address (RFC 8445 7.3.1.3).

        Args:
            host: an IP address.
        """
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None or address.scope_id is not None:
                return False
        elif address in _THIS_NETWORK:
            return False
        if address.is_loopback:
            return self.caller_is_local or is_loopback(self.host)
        return not (
            address.is_link_local
            or address.is_multicast
            or address.is_unspecified
            or address.is_reserved
        )


# aioice asks for the machine's addresses without naming a connection, so the function that answers
# finds the call's network here.
current: ContextVar[Network] = ContextVar("network")


def is_loopback(host: str) -> bool:
    """Whether a host is a loopback address or "localhost"."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def receiving_host(media_host: str, server_host: str, reached_at: str | None) -> str:
    """The address on which media is received.

    The option decides. Without it, media is received on loopback if the server is reached there,
    and otherwise on all addresses.

    Args:
        media_host: the server's option; empty to follow the server.
        server_host: the address on which the server listens.
        reached_at: the address at which the caller's request arrived; None if that is unknown.

    Returns:
        The address, or an empty text for all addresses of this machine.
    """
    if media_host:
        return "" if media_host in ("0.0.0.0", "::") else _as_address(media_host)
    if is_loopback(server_host) and (reached_at is None or is_loopback(reached_at)):
        return _as_address(server_host)
    return ""


def _as_address(host: str) -> str:
    return LOOPBACK if host == "localhost" else host
