"""Where a call's media comes in, and which of the caller's addresses are worth a check."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Network:
    """The network side of one call.

    Attributes:
        host: the address that media is received on; empty for all of this machine.
        caller_is_local: whether the caller is on this machine.
    """

    host: str = ""
    caller_is_local: bool = True

    def addresses(self, all_of_machine: Sequence[str]) -> list[str]:
        """The addresses to receive on, given those of this machine (without loopback).

        127.0.0.1 is always among all of them, so that a call works with no network.
        """
        if self.host and not is_loopback(self.host):
            return [self.host]
        # Browsers have IPv4 sockets on every machine, also those that open the page at [::1].
        addresses = [self.host] if self.host else list(all_of_machine)
        return [*(address for address in addresses if address != LOOPBACK), LOOPBACK]

    def more_addresses(self, offered: Sequence[str], all_of_machine: Sequence[str]) -> list[str]:
        """Where a server on loopback receives a neighbour that can't reach loopback.

        libnice binds each socket to its interface (`IP_UNICAST_IF`): what it sends to 127.0.0.1
        from there goes nowhere, also on the same machine.

        Args:
            offered: the hosts of the caller's candidates.
            all_of_machine: the addresses of this machine, without loopback.

        Returns:
            Those of this machine that the caller named as its own.
        """
        if not (self.caller_is_local and is_loopback(self.host)):
            return []
        return [address for address in all_of_machine if address in offered]

    def is_worth_a_check(self, host: str) -> bool:
        """Whether a candidate's address is sent connectivity checks.

        Nobody can be reached at an address that is none of a single machine, and loopback means
        another machine to a caller elsewhere. A caller that is left out can still connect: its own
        first check says where it is (RFC 8445 7.3.1.3).

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


# What aioice asks for its addresses knows no connection: it finds the call's network here.
current: ContextVar[Network] = ContextVar("network")


def is_loopback(host: str) -> bool:
    """Whether an address, or the name "localhost", is this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def receiving_host(media_host: str, server_host: str, reached_at: str | None) -> str:
    """Where media is received: as a server's option says, or else where its requests arrive.

    Args:
        media_host: the option; empty to follow the server.
        server_host: the address the server was told to listen on.
        reached_at: the address at which the caller's request arrived; None if that is unknown.

    Returns:
        An IP address, or an empty text for all of this machine.
    """
    if media_host:
        return "" if media_host in ("0.0.0.0", "::") else _as_address(media_host)
    if is_loopback(server_host) and (reached_at is None or is_loopback(reached_at)):
        return _as_address(server_host)
    return ""


def _as_address(host: str) -> str:
    return LOOPBACK if host == "localhost" else host
