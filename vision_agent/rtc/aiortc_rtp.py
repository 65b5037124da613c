"""aiortc's RTP and RTCP, with bounds on what a peer can make them do.

One of the files that touch private parts of aiortc (see `aiortc_patches`). Replaced are, in the
modules that use them:

- ``RtpPacket``, ``RtcpPacket`` and ``RtpRouter``: what is malformed is a `ValueError`, which aiortc
  drops; any other error ends the receive loop of the whole connection.
- ``Session``, of libsrtp: the streams it keeps are searched for each packet.

Written for aiortc 1.16.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import aiortc.rtcdtlstransport
import aiortc.rtcpeerconnection
import aiortc.rtp
import pylibsrtp
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPacket,
    RtpPacket,
)

from vision_agent.rtc.media_packet import MediaPacket

# Any: what is replaced here is not for a type checker to follow.
dtls_module: Any = aiortc.rtcdtlstransport
rtp_module: Any = aiortc.rtp

DYNAMIC_PAYLOAD_TYPES = [*range(35, 64), *range(96, 128)]
"""Offers that run out of 96 to 127 use the numbers from 35 on (RFC 3551 3). aiortc answers those
with numbers of its own, so that neither side understands the other."""

MAX_ROUTES = 24
"""Sources that a transport remembers the receivers of, besides those that the offer declares."""

_ROUTER_ATTRIBUTES = {"ssrc_table", "payload_type_table", "senders"}


def _parsed(parse: Callable[..., Any], *args: Any) -> Any:
    try:
        return parse(*args)
    except ValueError:
        raise
    except Exception as error:  # struct.error and whatever else a malformed packet leads to
        raise ValueError(f"malformed: {error!r}") from error


class StrictRtpPacket(RtpPacket):
    """aiortc's `RtpPacket`; malformed ones are a `ValueError`, always."""

    @classmethod
    def parse(cls, *args: Any) -> RtpPacket:
        """Reads one packet."""
        packet: RtpPacket = _parsed(RtpPacket.parse, *args)
        return packet


class StrictRtcpPacket(RtcpPacket):
    """aiortc's `RtcpPacket`; malformed ones are a `ValueError`, always."""

    @classmethod
    def parse(cls, data: bytes) -> list[AnyRtcpPacket]:
        """Reads a compound packet."""
        packets: list[AnyRtcpPacket] = _parsed(RtcpPacket.parse, data)
        return packets


class BoundedSession(pylibsrtp.Session):
    """Decrypts for the newest sources only.

    libsrtp keeps a stream for each source and searches all of them for each packet: with 40,000 of
    them a packet takes 4 ms.
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
            # The one heard of least recently: one in use would lose its rollover counter.
            oldest, _ = self._sources.popitem(last=False)
            self.remove_stream(int.from_bytes(oldest))


class BoundedRouter(RtpRouter):
    """Routes packets; remembers the newest sources only."""

    def __init__(self) -> None:
        super().__init__()
        self._learned: dict[int, None] = {}

    def route_rtp(self, packet: RtpPacket | MediaPacket) -> Any:
        """The receiver of an RTP packet, if there is one."""
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
        except Exception:  # a REMB message that claims more streams than it has
            return set()


def install() -> None:
    """Puts the replacements in place."""
    rtp_module.DYNAMIC_PAYLOAD_TYPES = DYNAMIC_PAYLOAD_TYPES
    dtls_module.RtpPacket = StrictRtpPacket
    dtls_module.RtcpPacket = StrictRtcpPacket
    dtls_module.RtpRouter = BoundedRouter
    dtls_module.Session = BoundedSession


def missing() -> str | None:
    """What of aiortc is not as this file expects it, in words; None if all is there."""
    wanted: list[tuple[Any, str, list[str]]] = [
        (RtpPacket, "parse", ["data", "extensions_map"]),
        (RtcpPacket, "parse", ["data"]),
        (RtpRouter, "route_rtp", ["self", "packet"]),
        (RtpRouter, "route_rtcp", ["self", "packet"]),
    ]
    for owner, name, parameters in wanted:
        found = getattr(owner, name, None)
        if found is None:
            return f"{owner.__name__}.{name} is gone"
        if list(inspect.signature(found).parameters) != parameters:
            return f"{owner.__name__}.{name} takes other arguments"
    for name in sorted(_ROUTER_ATTRIBUTES - set(RtpRouter.__init__.__code__.co_names)):
        return f"RtpRouter no longer uses {name}"
    if not any(
        "Session" in method.__code__.co_names
        for method in vars(dtls_module.RTCDtlsTransport).values()
        if inspect.isfunction(method)
    ):
        return "RTCDtlsTransport no longer makes a pylibsrtp Session"
    for user, used in (
        (dtls_module.RTCDtlsTransport.__init__, "RtpRouter"),
        (dtls_module.RTCDtlsTransport._handle_rtp_data, "RtpPacket"),
        (dtls_module.RTCDtlsTransport._handle_rtcp_data, "RtcpPacket"),
        (aiortc.rtcpeerconnection.find_common_codecs, "DYNAMIC_PAYLOAD_TYPES"),
    ):
        if used not in user.__code__.co_names:
            return f"{user.__qualname__} no longer uses {used}"
    return None
