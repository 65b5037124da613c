"""An address at which callers reach a server behind NAT, with the UDP port if that is another."""

from __future__ import annotations

import ipaddress
import re

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[^:\[\]]*))(?::(?P<port>\d{1,5}))?")


def split_announced(text: str) -> tuple[str, int | None]:
    """Take `203.0.113.5:40000` or `[2001:db8::5]:40000` apart; the port is None if none is given.

    Raises:
        ValueError: It is no address that a machine can be reached at; the text says what to write.
    """
    parts = _WITH_PORT.fullmatch(text)
    host = (parts["v6"] or parts["v4"] or "") if parts else text
    port = int(parts["port"]) if parts and parts["port"] else None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(
            f"{text!r} is not an IP address. Write one, with :PORT if the UDP port is another from "
            "outside, or `auto`, or stun:host:port."
        ) from None
    no_machine = address.is_unspecified or address.is_multicast or host == "255.255.255.255"
    if no_machine or "%" in host or (port is not None and not 0 < port < 65_536):
        raise ValueError(f"Callers can't reach a server at {text}.")
    return host, port
