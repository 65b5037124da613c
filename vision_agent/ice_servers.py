"""The STUN and TURN servers of calls, and TURN credentials that expire. No I/O.

A TURN server that shares a secret with this server (coturn: `use-auth-secret`) accepts credentials
that were made for one call: the name is the time at which they expire and a random user, the
password is the name's HMAC under the secret (draft-uberti-behave-turn-rest).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]/@?#:,]+)"
    r"(:(?P<port>[0-9]{1,5}))?(\?transport=(?P<transport>udp|tcp))?"
)  # RFC 7064, RFC 7065

TURN_FORM = "turn:host:3478, turn:host:3478?transport=tcp or turns:host:5349"


@dataclass(frozen=True, slots=True)
class IceUrl:
    """The URL of a STUN or TURN server, parsed.

    Attributes:
        is_turn: Whether it is a TURN server.
        host: A name or an address, without brackets.
        transport: How the server is reached.
        tls: Whether the connection to it is encrypted.
    """

    is_turn: bool
    host: str
    port: int
    transport: Literal["udp", "tcp"]
    tls: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL.

        Raises:
            ValueError: It is not a URL that browsers and this server can use.
        """
        parts = _URL.fullmatch(text)
        wrong = f"{text!r} is not the address of a STUN or TURN server. Write stun:host:3478, or "
        if parts is None:
            raise ValueError(f"{wrong}{TURN_FORM}.")
        scheme, tls = parts["scheme"].removesuffix("s"), parts["scheme"].endswith("s")
        port = int(parts["port"] or (5349 if tls else 3478))
        if not 0 < port < 65_536:
            raise ValueError(f"{text!r}: there is no port {port}.")
        transport: Literal["udp", "tcp"] = "tcp" if tls else "udp"
        if parts["transport"]:
            if scheme == "stun":
                raise ValueError(f"{text!r}: the address of a STUN server names no transport.")
            if tls and parts["transport"] == "udp":
                raise ValueError(f"{text!r}: turns: is TLS over TCP. Leave transport=udp out.")
            transport = "udp" if parts["transport"] == "udp" else "tcp"
        return cls(scheme == "turn", parts["host"].strip("[]"), port, transport, tls)


def turn_credentials(secret: str, expires_s: int, user: str) -> tuple[str, str]:
    """Make a name and a password that a TURN server with this secret accepts.

    Args:
        secret: The secret that both servers have.
        expires_s: Until when, in seconds since 1970 by the TURN server's clock.
        user: Anything; tells calls apart in the TURN server's log and quotas.

    Returns:
        The name, and the password.
    """
    name = f"{expires_s}:{user}"
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class IceServers:
    """The STUN and TURN servers that callers and this server use.

    Attributes:
        fixed: Servers with the same credentials for every call, as browsers' `RTCIceServer`.
        turn: URLs of TURN servers that share a secret.
        secret: That secret.
        lifetime_s: How long the credentials for one connection are accepted.
    """

    fixed: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    turn: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    lifetime_s: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.fixed or self.turn)

    def for_call(self, now_s: float) -> list[dict[str, Any]]:
        """The servers as `RTCIceServer` of browsers (W3C WebRTC 4.2.4), with fresh credentials.

        Args:
            now_s: The time, in seconds since 1970.
        """
        servers: list[dict[str, Any]] = [dict(server) for server in self.fixed]
        if self.turn:
            expires_s = int(now_s + self.lifetime_s)
            name, password = turn_credentials(self.secret, expires_s, secrets.token_hex(4))
            servers.append({"urls": list(self.turn), "username": name, "credential": password})
        return servers
