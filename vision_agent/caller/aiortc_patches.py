"""The only file of the caller that touches private parts of aiortc and aioice.

A caller needs four things for which aiortc has no public interface:

- A loopback candidate. aioice gathers none, so a machine without a network could not call itself.
- The arrival time of each packet. aiortc's jitter buffer holds four packets back and passes each on
  80 ms after it arrived: a reply measured behind it would look 80 ms slower.
- A smaller jitter buffer, for a caller who listens.
- An offer that does not wait 5 s for a STUN or TURN server that is away.

The server replaces the same function of aioice (`rtc/aiortc_patches.py`), for another purpose: it
chooses addresses call by call, while a caller adds loopback to whatever is gathered. Neither knows
of the other, and in a process that does both the caller's list wraps the server's.

`tests/caller/test_aiortc_patches.py` fails when one of these parts changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aioice.ice
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer

_LOOPBACK = "127.0.0.1"
_SERVERS_WAIT_S = 2


def gather_loopback() -> None:
    """Make every new peer connection of this process gather 127.0.0.1 as well. Idempotent.

    Raises:
        RuntimeError: aioice no longer has the function that is replaced.
    """
    gather: Callable[[bool, bool], list[str]] | None = getattr(
        aioice.ice, "get_host_addresses", None
    )
    if gather is None:
        raise RuntimeError("aioice.ice.get_host_addresses is gone: the caller must be adapted.")
    if getattr(gather, "gathers_loopback", False):
        return

    def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        others = [address for address in gather(use_ipv4, use_ipv6) if address != _LOOPBACK]
        return [*others, _LOOPBACK] if use_ipv4 else others

    with_loopback.gathers_loopback = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = with_loopback


def gather_briefly() -> None:
    """Make new peer connections of this process wait 2 s at most for STUN and TURN servers.

    Raises:
        RuntimeError: aioice no longer has the default that is replaced.
    """
    gather: Any = aioice.ice.Connection.get_component_candidates
    if len(gather.__defaults__ or ()) != 1:
        raise RuntimeError("aioice gathers candidates otherwise: the caller must be adapted.")
    gather.__defaults__ = (_SERVERS_WAIT_S,)


def own_addresses() -> frozenset[str]:
    """This machine's addresses, without loopback."""
    return frozenset(aioice.ice.get_host_addresses(True, True)) - {_LOOPBACK}


def watch_arrivals(receiver: RTCRtpReceiver, on_packet: Callable[[int], None]) -> None:
    """Call `on_packet` with the RTP time stamp of each packet when it arrives.

    Raises:
        RuntimeError: aiortc no longer has the method that is wrapped.
    """
    handle: Any = getattr(receiver, "_handle_rtp_packet", None)
    if handle is None:
        raise RuntimeError("RTCRtpReceiver._handle_rtp_packet is gone: the caller must be adapted.")

    async def noted(packet: Any, arrival_time_ms: int) -> None:
        on_packet(packet.timestamp)
        await handle(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = noted  # type: ignore[method-assign]


def hold_back_little(receiver: RTCRtpReceiver) -> None:
    """Make an audio receiver pass each packet on when the next arrives: after 20 ms, not 80.

    A lost packet is given up after 80 ms instead of 320. A process that serves calls as well has
    replaced the buffer already by one that holds nothing back.

    Raises:
        RuntimeError: aiortc no longer has the buffer that is replaced.
    """
    name = "_RTCRtpReceiver__jitter_buffer"
    buffer = getattr(receiver, name, None)
    if buffer is None:
        raise RuntimeError("RTCRtpReceiver.__jitter_buffer is gone: the caller must be adapted.")
    if isinstance(buffer, JitterBuffer):
        setattr(receiver, name, JitterBuffer(capacity=4, prefetch=1))
