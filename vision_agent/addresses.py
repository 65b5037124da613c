"""The address of the caller at the other end of a connection, also behind proxies."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PEER = "vision_agent.peer"
"""Key in a request's scope: the address that made the connection, if it is not the caller's; empty
if nobody knows it."""

logger = logging.getLogger(__name__)


def parse_address(text: str) -> Address | None:
    """Parses an IP address, also in brackets or with a port; None if the text is not one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # An IPv4 caller on an IPv6 socket has an IPv4-mapped address: both forms mean the same caller.
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine's own."""
    address = parse_address(host)
    return host == "localhost" if address is None else address.is_loopback


def counted_as(address: str) -> str:
    """The key that limits per address count by: an IPv6 /64 network belongs to one customer."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.is_loopback:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


class Proxies:
    """The proxies that are trusted to name the caller.

    Args:
        networks: Addresses and networks (CIDR); `*` for every peer.

    Raises:
        ValueError: One of them is neither an address nor a network.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        given = list(networks)
        self._any = "*" in given
        self._networks = [ipaddress.ip_network(each, strict=False) for each in given if each != "*"]

    def __bool__(self) -> bool:
        return self._any or bool(self._networks)

    def trusted(self, address: str) -> bool:
        """Whether a peer's address is a trusted proxy's."""
        parsed = parse_address(address)
        return self._any or any(parsed in network for network in self._networks if parsed)

    def caller(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The caller's address; empty if a trusted proxy does not name it.

        Of callers in the proxies' own networks it is the farthest that is named.

        Args:
            peer: The address that made the connection; empty for a Unix socket.
            forwarded_for: The values of `X-Forwarded-For`; each proxy appends its own client.
        """
        if not self.may_name(peer):
            return peer
        farthest = ""
        for said in reversed([one for value in forwarded_for for one in value.split(",")]):
            if (address := parse_address(said)) is None:
                break
            farthest = str(address)
            if not self.trusted(farthest) or self._any:
                break
        return farthest

    def may_name(self, peer: str) -> bool:
        """Whether a peer may name the caller; an empty one is that of a Unix socket."""
        return self.trusted(peer) if peer else bool(self)


def is_replaced(scope: Scope) -> bool:
    """Whether the ASGI server has replaced the connection's own address by a forwarded one.

    uvicorn does, and takes the port from `X-Forwarded-For` as well, or sets it to 0 if there is
    none.
    """
    peer, port = scope.get("client") or ("", None)
    if not port:
        return port == 0
    forwarded_for = Headers(scope=scope).getlist("x-forwarded-for")
    said = {one.strip() for value in forwarded_for for one in value.split(",")}
    return not said.isdisjoint((f"{peer}:{port}", f"[{peer}]:{port}"))


class RealCaller:
    """Puts the caller's address and scheme in place of the proxy's.

    Args:
        app: The application.
        proxies: The proxies whose `X-Forwarded-For` is believed.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http":
            peer = (scope.get("client") or ("", None))[0]
            replaced = is_replaced(scope)
            forwarded_for = Headers(scope=scope).getlist("x-forwarded-for")
            trusted = self._proxies.may_name(peer)
            caller = self._proxies.caller(peer, forwarded_for)
            if forwarded_for and peer and not (replaced or trusted or self._warned):
                self._warned = True
                logger.warning(
                    "A proxy at %s sends X-Forwarded-For and is not trusted: the limits count all "
                    "its callers as one. Set VISION_AGENT_TRUSTED_PROXIES.",
                    peer,
                )
            if trusted:
                scheme = Headers(scope=scope).get("x-forwarded-proto")
                if scheme in ("http", "https"):
                    scope = {**scope, "scheme": scheme}  # for redirects
                scope = {**scope, PEER: peer, "client": (caller, 0) if caller else None}
            if replaced:
                scope = {**scope, PEER: ""}
        await self._app(scope, receive, send)
