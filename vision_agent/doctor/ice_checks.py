"""STUN and TURN servers: whether they answer, and whether they take a call's credentials."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence

from aioice import stun, turn

from vision_agent.doctor.finding import Finding
from vision_agent.doctor.run import resolve
from vision_agent.ice_servers import IceServers, IceUrl

# How long aioice waits for a STUN server before it answers without it.
_STUN_DELAYS_S = 5
_STUN_TIMEOUT_S = 3.0
_TURN_TIMEOUT_S = 8.0

_OF_SECRET = (
    "Give the secret that the TURN server has (coturn: use-auth-secret, static-auth-secret), and "
    "check that both clocks are right."
)
_OF_PASSWORD = "Check username and credential; those that expire must be made anew."


async def check_ice(ice: IceServers) -> Sequence[Finding]:
    """Ask every STUN server for this machine's address, and every TURN server for an allocation."""
    if not ice:
        return [
            Finding(
                "ice",
                "note",
                "No STUN or TURN server is set.",
                "Nothing to do on one machine or network; calls across networks may need one: "
                "--turn turn:host:3478 --turn-secret …",
            )
        ]
    checks = []
    for server in ice.for_call(time.time()):
        urls = server["urls"]
        for url in [urls] if isinstance(urls, str) else urls:
            at = IceUrl.parse(url)
            if at.is_turn:
                advice = _OF_SECRET if url in ice.turn else _OF_PASSWORD
                checks.append(
                    _check_turn(url, at, server["username"], server["credential"], advice)
                )
            else:
                checks.append(_check_stun(url, (at.host, at.port)))
    found = await asyncio.gather(*checks)
    if sum(url.startswith("stun") for url in (str(s["urls"]) for s in ice.fixed)) > 1:
        only = "Of several STUN servers the server itself asks only the first."
        return [*found, Finding("ice", "note", only)]
    return found


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


async def _check_turn(url: str, at: IceUrl, username: str, credential: str, advice: str) -> Finding:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_TURN_TIMEOUT_S):
            await resolve(at.host, at.port)
            allocation, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol,
                server_addr=(at.host, at.port),
                username=username,
                password=credential,
                ssl=at.tls or None,
                transport=at.transport,
            )
    except stun.TransactionFailed as error:
        reason = error.response.attributes.get("ERROR-CODE", (0, "no reason given"))
        text = f"{url} refuses an allocation ({reason[0]} {reason[1]})."
        return Finding("ice", "problem", text, advice)
    except ssl.SSLCertVerificationError as error:
        return Finding(
            "ice",
            "problem",
            f"{url}: its certificate is not accepted ({error.verify_message}).",
            "Give the TURN server a certificate for this name from a public authority: browsers "
            "accept no other either.",
        )
    except (OSError, TimeoutError, stun.TransactionTimeout) as error:
        return Finding(
            "ice",
            "problem",
            f"{url} does not answer ({str(error) or 'silence'}).",
            "Check its address and the firewall (3478/udp and tcp, 5349/tcp for turns:). Until "
            "then calls that need it don't connect, and one call a minute waits 2 s for it.",
        )
    relayed = allocation.get_extra_info("sockname")
    allocation.close()
    took_ms = round(1000 * (time.monotonic() - began))
    return Finding("ice", "ok", f"{url} allocates in {took_ms} ms: {relayed[0]}.")
