"""The only file of the caller that touches private parts of aiortc and aioice.

Three things a caller needs have no public way in:

- aioice gathers no loopback candidate, so on a machine without a network there would be no call.
- aiortc's jitter buffer hands a packet over 80 ms after it came (four packets are held back), and
  says nothing about when it came; a reply measured behind it would look 80 ms slower.
- Nor can that buffer be made smaller, for somebody who listens.

`tests/caller/test_aiortc_patches.py` fails when one of these parts changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aioice.ice
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer

_LOOPBACK = "127.0.0.1"


def gather_loopback() -> None:
    """Make every new peer connection offer 127.0.0.1 besides the machine's addresses.

    Idempotent. Applies to the whole process, which may have done the same already.

    Raises:
        RuntimeError: aioice no longer has the function that is replaced.
    """
    gather: Callable[[bool, bool], list[str]] | None = getattr(
        aioice.ice, "get_host_addresses", None
    )
    if gather is None:
        raise RuntimeError("aioice.ice.get_host_addresses is gone: the caller needs mending.")
    if getattr(gather, "gathers_loopback", False):
        return

    def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        others = [address for address in gather(use_ipv4, use_ipv6) if address != _LOOPBACK]
        return [*others, _LOOPBACK] if use_ipv4 else others

    with_loopback.gathers_loopback = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = with_loopback


def watch_arrivals(receiver: RTCRtpReceiver, on_packet: Callable[[int], None]) -> None:
    """Call `on_packet` with the RTP time stamp of each packet at the moment it arrives.

    Raises:
        RuntimeError: aiortc no longer has the method that is wrapped.
    """
    handle: Any = getattr(receiver, "_handle_rtp_packet", None)
    if handle is None:
        raise RuntimeError("RTCRtpReceiver._handle_rtp_packet is gone: the caller needs mending.")

    async def noted(packet: Any, arrival_time_ms: int) -> None:
        on_packet(packet.timestamp)
        await handle(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = noted  # type: ignore[method-assign]


def hold_back_little(receiver: RTCRtpReceiver) -> None:
    """Let an audio receiver hand each packet over when the next has come, 20 ms later, not 80.

    A lost packet is given up after 80 ms instead of 320. In a process that serves calls as well the
    buffer is another one already, which holds back nothing.

    Raises:
        RuntimeError: aiortc no longer has the buffer that is replaced.
    """
    name = "_RTCRtpReceiver__jitter_buffer"
    buffer = getattr(receiver, name, None)
    if buffer is None:
        raise RuntimeError("RTCRtpReceiver.__jitter_buffer is gone: the caller needs mending.")
    if isinstance(buffer, JitterBuffer):
        setattr(receiver, name, JitterBuffer(capacity=4, prefetch=1))
