"""The host names under which the server may be reached, and the origins whose pages may call.

A page whose name was made to resolve to this machine (DNS rebinding) has the server's own origin,
and could call with the user's key; only the name in `Host` reveals it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vision_agent.addresses import is_loopback, parse_address
from vision_agent.calls.refusal import Refusal

_PRIVATE_DOMAINS = ("local", "lan", "home", "home.arpa", "internal", "localdomain")
"""A router names machines below these domains, and the public DNS has no names there."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hosts:
    """Decides by the `Host` and `Origin` headers. It does no I/O.

    Attributes:
        bound_to: The address that the server listens on.
        allowed: Further names; `*.example.org` for all names below one, `*` for any.
        origins: Other origins whose pages may call; `*` for any.
        machine: This machine's own name.
    """

    bound_to: str
    allowed: Sequence[str] = ()
    origins: Sequence[str] = ()
    machine: str = ""

    def takes(self, host: str, arrived_at: str) -> bool:
        """Whether a request with this `Host` header may be served.

        Args:
            host: Its value.
            arrived_at: The local address of the connection.
        """
        name = _split(host)[0]
        if not name:
            return False
        given = {each.lower().rstrip(".") for each in self.allowed}
        if "*" in given or name in given or name in (self.bound_to.lower(), arrived_at.lower()):
            return True
        if any(name.endswith(each[1:]) for each in given if each.startswith("*.")):
            return True
        if is_loopback(name) or name.endswith(".localhost"):
            return True
        if is_loopback(self.bound_to):
            return False
        # An attacker can't make a literal address resolve elsewhere.
        if parse_address(name) is not None:
            return True
        own, (first, _, domain) = self.machine.lower(), name.partition(".")
        return name == own or (
            first == own.partition(".")[0] and (not domain or domain in _PRIVATE_DOMAINS)
        )

    def takes_page_of(self, origin: str, host: str) -> bool:
        """Whether a page of an origin (RFC 6454) may send requests.

        Args:
            origin: The `Origin` header.
            host: The `Host` header.
        """
        given = {each.lower().rstrip("/") for each in self.origins}
        if "*" in given or origin.lower() in given:
            return True
        try:
            scheme, netloc = urlsplit(origin)[:2]
        except ValueError:
            return False
        default = _DEFAULT_PORTS.get(scheme.lower())
        if default is None or not netloc:
            return False
        (name, port), (own, own_port) = _split(netloc), _split(host)
        return name == own and (port or default) == (own_port or default)


def _split(netloc: str) -> tuple[str, int | None]:
    """The name or address, in lower case, and the port."""
    try:
        parts = urlsplit(f"//{netloc}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    # Anything other than `name:port` is not a host.
    written = f"[{name}]" if ":" in name else name
    whole = written if port is None else f"{written}:{port}"
    return (name.rstrip("."), port) if netloc.lower().rstrip(":") == whole else ("", None)


class KnownHosts:
    """Refuses requests with an unknown host name (421) or from another site's page (403).

    A request with no host or several is malformed (400; RFC 9112 3.2), because a proxy and this
    server could each use another one.

    Args:
        app: The application.
        hosts: Decides which hosts and origins are accepted.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal.response() if refusal else self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        named = headers.getlist("host")
        # An HTTP/1.0 client may omit the header; no browser does.
        if len(named) > 1 or (not named and scope.get("http_version") == "1.1"):
            return Refusal(400, "A request has exactly one Host header.")
        host = named[0] if named else None
        arrived_at = (scope.get("server") or ("", None))[0]
        if host is not None and not self._hosts.takes(host, arrived_at):
            return Refusal(
                421,
                f"This server is not known as {host[:100]!r}. If it is to be, add the name to "
                "VISION_AGENT_ALLOWED_HOSTS.",
            )
        origin = headers.get("origin")
        if origin is not None and not self._hosts.takes_page_of(origin, host or ""):
            return Refusal(
                403,
                f"Pages of {origin[:100]!r} may not call here. If they are to, add the origin to "
                "VISION_AGENT_CORS_ORIGINS; a proxy has to pass on the Host header.",
            )
        return None
