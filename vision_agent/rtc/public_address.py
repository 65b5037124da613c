"""The addresses at which callers elsewhere reach a server behind a NAT."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Sequence

from vision_agent.announced_address import split_announced
from vision_agent.rtc.own.aioice import stun
from vision_agent.rtc.shared_socket import Address

STUN_WAIT_S = 3.0
_SEND_AGAIN_S = 0.5


class NoPublicAddress(RuntimeError):
    """A STUN server has not said this machine's public address; the text says why."""


def announced(public: Sequence[str], hosts: Sequence[Address]) -> list[Address]:
    """What a call announces besides the addresses of its own sockets.

    A NAT that maps a public address to this machine one to one keeps the port, and so does a port
    that is passed on to a container, unless the address comes with another one. Sockets on loopback
    are reached from this machine only.

    Args:
        public: the server's public addresses, some perhaps with a port (`split_announced`).
        hosts: the addresses and ports of the call's sockets.

    Returns:
        Each public address with each port of a socket of its family. An address that a socket has
        itself is left out.
    """
    found: dict[Address, None] = {}
    for address, mapped in map(split_announced, public):
        version = ipaddress.ip_address(address).version
        for host, port in hosts:
            local = ipaddress.ip_address(host)
            if local.version == version and not local.is_loopback:
                found[address, port if mapped is None else mapped] = None
    return [each for each in found if each not in hosts]


async def seen_by(host: str, port: int) -> str:
    """The address from which a STUN server sees this machine.

    Raises:
        NoPublicAddress: it has not said one within `STUN_WAIT_S`.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def settle(address: str, error: Exception | None) -> None:
        if not answer.done():
            answer.set_result(address) if error is None else answer.set_exception(error)

    def ask() -> None:
        address, failure = "", None
        try:
            address = _ask(host, port)
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more, and the loop is closed
            loop.call_soon_threadsafe(settle, address, failure)

    # A daemon, because nothing can end the look-up of a name.
    threading.Thread(target=ask, name="stun", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, STUN_WAIT_S)
    except (OSError, ValueError) as error:
        raise NoPublicAddress(
            f"stun:{host}:{port} has not said this server's public address: "
            f"{str(error) or f'no answer within {STUN_WAIT_S:.0f} s'}."
        ) from error


def _ask(host: str, port: int) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    # A NAT is in the way of IPv4 mostly.
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    with socket.socket(family, kind, protocol) as asking:
        asking.settimeout(_SEND_AGAIN_S)
        asking.connect(address)
        for _ in range(round(STUN_WAIT_S / _SEND_AGAIN_S)):
            asking.send(bytes(request))
            with contextlib.suppress(TimeoutError):
                answer = stun.parse_message(asking.recv(2048))
                mapped = answer.attributes.get("XOR-MAPPED-ADDRESS")
                if answer.transaction_id == request.transaction_id and mapped is not None:
                    return str(mapped[0])
    raise TimeoutError
