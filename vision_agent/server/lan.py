"""The addresses at which others in the same network reach a server on this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable

import ifaddr


def reachable_hosts(host: str) -> list[str]:
    """The hosts, as they stand in a URL, of a server that listens on `host`.

    Several only for the wildcard addresses, `0.0.0.0` and `::`; IPv6 in brackets (RFC 3986). The
    first one is in the network through which this machine reaches others: that of a phone, rather
    than one of containers.
    """
    if host not in ("0.0.0.0", "::"):
        return [f"[{host}]" if ":" in host else host]
    found = (
        # An IPv6 address comes with its flow info and scope id.
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    )
    hosts = hosts_for_others(found, ipv6=host == "::")
    outward = _outward_address()
    return sorted(hosts, key=lambda each: each != outward)


def _outward_address() -> str | None:
    """This machine's IPv4 address on its default route; None without a route."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked,
    ):
        # Only queries the routing table and sends nothing. The address is for documentation (RFC
        # 5737).
        asked.connect(("192.0.2.1", 9))
        return str(asked.getsockname()[0])
    return None


def hosts_for_others(addresses: Iterable[str], *, ipv6: bool) -> list[str]:
    """The addresses that others can reach, of all those of a machine; IPv4 first."""
    usable = {
        ipaddress.ip_address(address)
        for address in addresses
        if not (ipaddress.ip_address(address).is_loopback)
        and not ipaddress.ip_address(address).is_link_local
    }
    ordered = sorted(usable, key=lambda address: (address.version, int(address)))
    return [
        f"[{address}]" if address.version == 6 else str(address)
        for address in ordered
        if ipv6 or address.version == 4
    ]
