"""Where calls' media arrives: the UDP ports of the server, and the addresses it announces."""

from __future__ import annotations

from typing import Self

from vision_agent.ice_servers import IceUrl
from vision_agent.rtc import Network, addresses_of_machine
from vision_agent.rtc.network import receiving_host
from vision_agent.rtc.probes import private_budget
from vision_agent.rtc.public_address import NoPublicAddress, seen_by
from vision_agent.rtc.udp_ports import CannotReceive, OnePort, PortRange
from vision_agent.settings import Settings


class Receiving:
    """The UDP ports of all calls of one server.

    Args:
        settings: The server's options.

    Attributes:
        ports: The ports; None for random ones.
        public_addresses: What is announced besides this machine's own addresses; those that a STUN
            server has to find, by their names, until it has.
    """

    def __init__(self, settings: Settings) -> None:
        self.ports = _ports(settings)
        self.public_addresses: tuple[str, ...] = tuple(settings.public_ip)
        stun = (server.urls for server in settings.ice_servers if server.urls.startswith("stun:"))
        self._private_budget = private_budget()
        self._stun = next(stun, None)
        self._host = receiving_host(media_host(settings), settings.host, None)

    @property
    def described(self) -> str:
        """The ports and the announced addresses, as a sentence."""
        match self.ports:
            case OnePort(port=port, replaced=replaced):
                text = replaced or f"Calls use UDP port {port}."
            case PortRange() as ports:
                text = f"Calls use UDP ports {ports}."
            case None:
                text = "Calls use random UDP ports."
        if self.public_addresses:
            text += f" Announced: {', '.join(self.public_addresses)}."
        return text

    async def find_public_addresses(self) -> None:
        """Asks the STUN servers among the public addresses. Safe to call again.

        Raises:
            CannotReceive: One has not answered, or `auto` has none to ask.
        """
        found: dict[str, None] = {}
        for each in self.public_addresses:
            if each == "auto" and self._stun is None:
                raise CannotReceive(
                    "public_ip: auto asks the STUN server of ice_servers, and there is none. Name "
                    "one with --public-ip stun:host:port, or give the address itself."
                )
            url = self._stun if each == "auto" else each
            if url and url.startswith("stun:"):
                at = IceUrl.parse(url)
                try:
                    each = await seen_by(at.host, at.port)
                except NoPublicAddress as error:
                    advice = "Name another server, or the address itself, with --public-ip."
                    raise CannotReceive(f"{error} {advice}") from error
            found[each] = None
        self.public_addresses = tuple(found)

    def bind(self) -> None:
        """Takes the ports.

        Raises:
            CannotReceive: They can't be had; the text says why.
        """
        if self.ports is not None:
            self.ports.bind(Network(self._host).addresses(addresses_of_machine()))

    async def __aenter__(self) -> Self:
        """Begins to receive; raises `CannotReceive` if the ports can't be had."""
        await self.find_public_addresses()
        self.bind()
        if self.ports is not None:
            await self.ports.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Frees the ports."""
        if self.ports is not None:
            await self.ports.close()

    def network(self, host: str, *, caller_is_local: bool) -> Network:
        """The network side of a call that is received on `host`; empty for all addresses."""
        return Network(
            host, caller_is_local, self.ports, self.public_addresses, self._private_budget
        )


def media_host(settings: Settings) -> str:
    """The address that media is received on; empty to decide by where the server listens.

    Callers from elsewhere reach a server through a proxy, and their media by an ICE server or at a
    public address: then all addresses are the default.
    """
    elsewhere = settings.ice() or settings.public_ip
    return settings.media_host or ("0.0.0.0" if elsewhere else "")


def _ports(settings: Settings) -> OnePort | PortRange | None:
    if (ends := settings.port_range()) is not None:
        return PortRange(*ends)
    if settings.udp_port == 0:
        return None
    if settings.udp_port is not None:
        return OnePort(settings.udp_port, needed=True)
    # A server that takes any port takes any UDP port, too.
    following = settings.port + 1 if 0 < settings.port < 65535 else 0
    return OnePort(following, needed=False)
