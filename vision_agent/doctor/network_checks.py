"""STUN and TURN servers, the port, access, and whether browsers allow the page a camera."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from aioice import stun, turn
from aiortc.rtcicetransport import parse_stun_turn_uri

from vision_agent.addresses import is_loopback
from vision_agent.doctor.finding import Finding
from vision_agent.doctor.run import resolve
from vision_agent.server.ingress.exposure import ADVICE, exposure
from vision_agent.server.listening import CannotListen, listen, shown
from vision_agent.settings import IceServer

# How long aioice waits for a STUN server before it answers without it.
_STUN_DELAYS_S = 5
_STUN_TIMEOUT_S = 3.0
_TURN_TIMEOUT_S = 8.0

_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI")
"""If one of these is set, a paid model service answers."""


async def check_ice(servers: Sequence[IceServer]) -> Sequence[Finding]:
    """Ask every STUN server for this machine's address, and every TURN server for an allocation."""
    if not servers:
        return [
            Finding(
                "ice",
                "note",
                "No STUN or TURN server is set.",
                "Nothing to do on one machine or network; calls across networks need one: "
                "VISION_AGENT_ICE_SERVERS.",
            )
        ]
    found = await asyncio.gather(*(_check_server(server) for server in servers))
    kinds = [server.urls.split(":")[0].removesuffix("s") for server in servers]
    more = [kind for kind in ("stun", "turn") if kinds.count(kind) > 1]
    extra = [
        Finding("ice", "note", f"Of several {kind.upper()} servers only the first is used.")
        for kind in more
    ]
    return [*found, *extra]


async def _check_server(server: IceServer) -> Finding:
    try:
        uri = parse_stun_turn_uri(server.urls)
    except ValueError:
        return Finding(
            "ice",
            "problem",
            f"{server.urls!r} is no address of a STUN or TURN server.",
            "Write stun:host:port, turn:host:port or turns:host:port?transport=tcp.",
        )
    address = (str(uri["host"]), int(uri["port"]))
    if str(uri["scheme"]).startswith("stun"):
        return await _check_stun(server.urls, address)
    is_tls, transport = uri["scheme"] == "turns", str(uri.get("transport") or "udp")
    return await _check_turn(server, address, is_tls, transport)


async def _check_stun(url: str, address: tuple[str, int]) -> Finding:
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[stun.Message] = loop.create_future()

    class Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            if not answer.done():
                try:
                    answer.set_result(stun.parse_message(data))
                except ValueError:
                    return  # not a STUN message

        def error_received(self, exc: Exception) -> None:
            if not answer.done():
                answer.set_exception(exc)

    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    transport = None
    try:
        async with asyncio.timeout(_STUN_TIMEOUT_S):
            await resolve(*address)
            transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=address)
            for _ in range(6):
                transport.sendto(bytes(request))
                done, _pending = await asyncio.wait((answer,), timeout=0.5)
                if done:
                    break
            message = await answer
    except (OSError, TimeoutError) as error:
        return Finding(
            "ice",
            "warning",
            f"{url} does not answer ({str(error) or 'silence'}).",
            f"Every call waits about {_STUN_DELAYS_S} s for it: mend it or take it out of "
            "VISION_AGENT_ICE_SERVERS.",
        )
    finally:
        if transport is not None:
            transport.close()
    took_ms = round(1000 * (time.monotonic() - began))
    seen = message.attributes.get("XOR-MAPPED-ADDRESS")
    if seen is None:
        return Finding("ice", "warning", f"{url} answers without an address.", "Use another one.")
    return Finding("ice", "ok", f"{url} answers in {took_ms} ms and sees us as {seen[0]}.")


async def _check_turn(
    server: IceServer, address: tuple[str, int], is_tls: bool, transport: str
) -> Finding:
    if not (server.username and server.credential):
        return Finding(
            "ice",
            "problem",
            f"{server.urls} has no username or no credential.",
            'Give both: [{"urls": "turn:…", "username": "…", "credential": "…"}].',
        )
    began = time.monotonic()
    try:
        async with asyncio.timeout(_TURN_TIMEOUT_S):
            await resolve(*address)
            allocation, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol,
                server_addr=address,
                username=server.username,
                password=server.credential.get_secret_value(),
                ssl=is_tls,
                transport=transport,
            )
    except stun.TransactionFailed as error:
        reason = error.response.attributes.get("ERROR-CODE", (0, "no reason given"))
        return Finding(
            "ice",
            "problem",
            f"{server.urls} refuses an allocation ({reason[0]} {reason[1]}).",
            "Check username and credential; those that expire must be made anew.",
        )
    except (OSError, TimeoutError, stun.TransactionTimeout) as error:
        return Finding(
            "ice",
            "problem",
            f"{server.urls} does not answer ({str(error) or 'silence'}).",
            "Check its address and the firewall (3478/udp and tcp, 5349/tcp for turns:). Every "
            f"call waits {_STUN_DELAYS_S} s or more for it.",
        )
    relayed = allocation.get_extra_info("sockname")
    allocation.close()
    took_ms = round(1000 * (time.monotonic() - began))
    return Finding("ice", "ok", f"{server.urls} allocates in {took_ms} ms: {relayed[0]}.")


def check_port(host: str, port: int) -> list[Finding]:
    """Check that the server can listen on its address."""
    if port == 0:
        return [Finding("port", "ok", "Any free port is taken.")]
    try:
        listen(host, port).close()
    except CannotListen as error:
        return [Finding("port", "problem", error.reason, error.advice)]
    return [Finding("port", "ok", f"{shown(host, port)} is free.")]


def check_access(host: str, *, has_token: bool, environ: Mapping[str, str]) -> list[Finding]:
    """Check whether anybody on the network could call, and at whose cost."""
    paid = any(environ.get(name) for name in _KEYS)
    if open_to_all := exposure(host, has_token=has_token, paid=paid):
        return [Finding("access", "warning", open_to_all, ADVICE)]
    if has_token:
        return [Finding("access", "ok", "Callers need the access token.")]
    return [Finding("access", "ok", "Only this machine can reach the server.")]


def check_secure_context(host: str) -> list[Finding]:
    """Check that browsers allow the page a camera: getUserMedia needs a secure context."""
    if is_loopback(host):
        text = "The page is on this machine only: browsers give it the camera."
        return [Finding("https", "ok", text)]
    return [
        Finding(
            "https",
            "warning",
            f"On {host} other machines reach the page over http:, where browsers give no camera.",
            "Put a proxy with a certificate in front (https://), or tunnel the port: "
            "ssh -L 7860:localhost:7860 …",
        )
    ]
