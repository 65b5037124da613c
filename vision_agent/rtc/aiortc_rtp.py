"""aiortc's RTP and RTCP, bounded in what a peer can make them do.

One of the files that touch private parts of aiortc (see `aiortc_patches`). It replaces, in the
modules that use them:

- ``RtpPacket`` and ``RtcpPacket``: a malformed packet is a `ValueError`, which aiortc drops. In
  stock aiortc any other error ends the receive loop of the whole connection.
- ``RtpRouter``: the sources it remembers are bounded, and it does not fail on malformed RTCP.
- ``Session`` of libsrtp: the streams it keeps are bounded, because it searches them for each
  packet.
- ``DYNAMIC_PAYLOAD_TYPES``: the numbers from 35 to 63 are added.

Written for aiortc 1.16.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pylibsrtp

from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.media_packet import MediaPacket
from vision_agent.rtc.own import aiortc
from vision_agent.rtc.own.aiortc.rtcdtlstransport import RtpRouter
from vision_agent.rtc.own.aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPacket,
    RtpPacket,
)

# Typed as Any, because attributes of the module are replaced.
dtls_module: Any = aiortc.rtcdtlstransport
rtp_module: Any = aiortc.rtp

DYNAMIC_PAYLOAD_TYPES = [*range(35, 64), *range(96, 128)]
"""Offers that run out of the numbers from 96 to 127 use those from 35 on (RFC 3551 3). Stock aiortc
answers those with numbers of its own, so that neither side understands the other."""

MAX_ROUTES = 24
"""How many sources a transport remembers, besides those that the offer declares."""

_ROUTER_ATTRIBUTES = {"ssrc_table", "payload_type_table", "senders"}


def _parsed(parse: Callable[..., Any], *args: Any) -> Any:
    try:
        return parse(*args)
    except ValueError:
        raise
    except Exception as error:  # struct.error, or any other error that a malformed packet causes
        raise ValueError(f"malformed: {error!r}") from error


class StrictRtpPacket(RtpPacket):
    """aiortc's `RtpPacket`; a malformed packet is always a `ValueError`."""

    @classmethod
    def parse(cls, *args: Any) -> RtpPacket:
        """Parses one packet."""
        packet: RtpPacket = _parsed(RtpPacket.parse, *args)
        return packet


class StrictRtcpPacket(RtcpPacket):
    """aiortc's `RtcpPacket`; a malformed packet is always a `ValueError`."""

    @classmethod
    def parse(cls, data: bytes) -> list[AnyRtcpPacket]:
        """Parses a compound packet."""
        packets: list[AnyRtcpPacket] = _parsed(RtcpPacket.parse, data)
        return packets


class BoundedSession(pylibsrtp.Session):
    """An SRTP session that keeps the most recently active sources only.

    libsrtp keeps a stream for each source and searches all streams for each packet: with 40,000
    sources a packet takes 4 ms.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sources: OrderedDict[bytes, None] = OrderedDict()

    def unprotect(self, packet: bytes) -> bytes:
        """Decrypts an RTP packet; `pylibsrtp.Error` if it is not authentic."""
        data: bytes = super().unprotect(packet)
        self._remember(packet[8:12])
        return data

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Decrypts an RTCP packet; `pylibsrtp.Error` if it is not authentic."""
        data: bytes = super().unprotect_rtcp(packet)
        self._remember(packet[4:8])
        return data

    def _remember(self, source: bytes) -> None:
        self._sources[source] = None
        self._sources.move_to_end(source)
        if len(self._sources) > MAX_ROUTES:
            # The least recently active source goes: one in use would lose its rollover counter.
            oldest, _ = self._sources.popitem(last=False)
            self.remove_stream(int.from_bytes(oldest))


class BoundedRouter(RtpRouter):
    """Routes packets to receivers; of the sources it has learnt, it remembers the newest only."""

    def __init__(self) -> None:
        super().__init__()
        self._learned: dict[int, None] = {}

    def route_rtp(self, packet: RtpPacket | MediaPacket) -> Any:
        """The receiver of an RTP packet; None if there is none."""
        receivers = self.payload_type_table.get(packet.payload_type)
        if not receivers:
            return None
        receiver = self.ssrc_table.get(packet.ssrc)
        if receiver is not None:
            return receiver if receiver in receivers else None
        if len(receivers) != 1:
            return None
        [receiver] = receivers
        self.ssrc_table[packet.ssrc] = receiver
        self._learned[packet.ssrc] = None
        if len(self._learned) > MAX_ROUTES:
            oldest = next(iter(self._learned))
            del self._learned[oldest]
            self.ssrc_table.pop(oldest, None)
        return receiver

    def route_rtcp(self, packet: AnyRtcpPacket) -> set[Any]:
        """The receivers and senders that an RTCP packet is about."""
        try:
            return super().route_rtcp(packet)
        except Exception:  # for example a REMB message that claims more streams than it lists
            return set()


def install() -> None:
    """Installs the replacements in aiortc's modules."""
    rtp_module.DYNAMIC_PAYLOAD_TYPES = DYNAMIC_PAYLOAD_TYPES
    dtls_module.RtpPacket = StrictRtpPacket
    dtls_module.RtcpPacket = StrictRtcpPacket
    dtls_module.RtpRouter = BoundedRouter
    dtls_module.Session = BoundedSession


def check() -> None:
    """Checks the parts of aiortc that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions(
        [
            (RtpPacket, "parse", ["data", "extensions_map"]),
            (RtcpPacket, "parse", ["data"]),
            (RtpRouter, "route_rtp", ["self", "packet"]),
            (RtpRouter, "route_rtcp", ["self", "packet"]),
        ]
    )
    check_attributes(RtpRouter, _ROUTER_ATTRIBUTES)
    check_uses(
        [
            (dtls_module.RTCDtlsTransport, "Session"),
            (dtls_module.RTCDtlsTransport.__init__, "RtpRouter"),
            (dtls_module.RTCDtlsTransport._handle_rtp_data, "RtpPacket"),
            (dtls_module.RTCDtlsTransport._handle_rtcp_data, "RtcpPacket"),
            (aiortc.rtcpeerconnection.find_common_codecs, "DYNAMIC_PAYLOAD_TYPES"),
        ]
    )
