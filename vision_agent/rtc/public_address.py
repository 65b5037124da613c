"""The addresses at which callers elsewhere reach a server behind a NAT."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = tuple[str, int]


def announced(public: Sequence[str], hosts: Sequence[Address]) -> list[Address]:
    """What a call announces besides the addresses of its own sockets.

    A NAT that maps a public address to this machine one to one keeps the port, and so does a port
    that is passed on to a container. Sockets on loopback are reached from this machine only.

    Args:
        public: the server's public addresses.
        hosts: the addresses and ports of the call's sockets.

    Returns:
        Each public address with each port of a socket of its family. An address that a socket has
        itself is left out.
    """
    found: dict[Address, None] = {}
    for address in public:
        version = ipaddress.ip_address(address).version
        for host, port in hosts:
            local = ipaddress.ip_address(host)
            if local.version == version and not local.is_loopback:
                found[address, port] = None
    return [each for each in found if each not in hosts]
