"""Where calls are received: the UDP ports, and whether callers can reach what is announced."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path

from vision_agent.doctor.finding import Finding
from vision_agent.rtc import addresses_of_machine
from vision_agent.rtc.network import Network, is_loopback, receiving_host
from vision_agent.rtc.udp_ports import CannotReceive, OnePort
from vision_agent.server.receiving import Receiving, media_host
from vision_agent.settings import Settings

_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
_CONTAINER_VARIABLES = ("KUBERNETES_SERVICE_HOST", "container")


async def check_media(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Take the UDP ports as the server does, and judge the addresses that it would announce."""
    receiving = Receiving(settings)
    try:
        async with receiving:
            replaced = isinstance(receiving.ports, OnePort) and receiving.ports.replaced
            described = receiving.described
    except CannotReceive as error:
        return [Finding("media", "problem", str(error))]
    found = [Finding("media", "note" if replaced else "ok", described)]
    host = receiving_host(media_host(settings), settings.host, None)
    return [
        *found,
        judge_addresses(
            Network(host).addresses(addresses_of_machine()),
            receiving.public_addresses,
            has_turn=any(url.startswith("turn") for url in _urls(settings)),
            in_container=in_container(environ),
        ),
    ]


def judge_addresses(
    addresses: Sequence[str], public: Sequence[str], *, has_turn: bool, in_container: bool
) -> Finding:
    """Say who can reach a server that announces these addresses. Pure.

    Args:
        addresses: Those of the server's sockets.
        public: What is announced besides them.
        has_turn: Whether callers and server have a relay.
        in_container: Whether the server's network is that of a container.
    """
    outside = [address for address in addresses if not is_loopback(address)]
    reached = [*public, *(each for each in outside if ipaddress.ip_address(each).is_global)]
    if reached:
        return Finding("media", "ok", f"Callers elsewhere are told {', '.join(reached)}.")
    if not outside:
        text = "Calls are received from this machine only."
        advice = "For others: --host 0.0.0.0, or MEDIA_HOST=0.0.0.0 behind a proxy."
        return Finding("media", "ok", text, advice)
    listed = ", ".join(outside)
    if has_turn:
        text = f"Callers that can't reach {listed} come through the TURN server."
        return Finding("media", "ok", text)
    if in_container:
        return Finding(
            "media",
            "warning",
            f"This is a container, and the server announces only its addresses there ({listed}): "
            "callers outside can't reach them.",
            "Start it with --public-ip and the address of the machine, and publish the UDP port "
            "(docker run -p 7860:7860 -p 7861:7861/udp), or with --turn.",
        )
    return Finding(
        "media",
        "note",
        f"The server announces only addresses of its private network ({listed}): callers in it "
        "connect, others don't.",
        "For callers from elsewhere, start it with --public-ip and the address at which they "
        "reach this machine, or with --turn.",
    )


def in_container(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a container, as far as can be seen."""
    return any(map(environ.get, _CONTAINER_VARIABLES)) or any(
        Path(file).exists() for file in _CONTAINER_FILES
    )


def _urls(settings: Settings) -> list[str]:
    return [*settings.turn, *(server.urls for server in settings.ice_servers)]
