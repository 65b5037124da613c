"""aiortc's RTP and RTCP, with bounds on what a peer can make them do.

One of the files that touch private parts of aiortc (see `aiortc_patches`). Replaced are, in the
modules that use them:

- ``NackGenerator`` and ``StreamStatistics``: a jump in the sequence is a sender that started anew;
  aiortc walks every number of it, and asks for all of them again.
- ``RtpPacket``, ``RtcpPacket`` and ``RtpRouter``: what is malformed is a `ValueError`, which aiortc
  drops; any other error ends the receive loop of the whole connection.
- ``Session``, of libsrtp: the streams it keeps are searched for each packet.
- ``RTCRtpReceiver`` and ``RTCRtpSender``: a few streams each; a failure is logged and counted, and
  neither ends the receive loop nor the task that sends reports, for whose end closing waits.

Written for aiortc 1.16.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import aiortc.rtcdtlstransport
import aiortc.rtcpeerconnection
import aiortc.rtcrtpreceiver
import aiortc.rtcrtpsender
import aiortc.rtp
import pylibsrtp
from aiortc import RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import NackGenerator, StreamStatistics
from aiortc.rtp import (
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    RtcpPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)

from vision_agent.rtc.budget import Budget

logger = logging.getLogger(__name__)

# Any: what is replaced here is not for a type checker to follow.
dtls_module: Any = aiortc.rtcdtlstransport
peer_connection_module: Any = aiortc.rtcpeerconnection
receiver_module: Any = aiortc.rtcrtpreceiver

rtp_module: Any = aiortc.rtp

DYNAMIC_PAYLOAD_TYPES = [*range(35, 64), *range(96, 128)]
"""Offers that run out of 96 to 127 use the numbers from 35 on (RFC 3551 3). aiortc answers those
with numbers of its own, so that neither side understands the other."""

MAX_STREAMS = 4
"""Synchronization sources of a receiver: the stream, its retransmissions, and one before each. A
report about them has to fit 31, and each costs memory as long as the call lasts."""

MAX_ROUTES = 24
"""Sources that a transport remembers the receivers of, besides those that the offer declares."""

RETRANSMISSIONS_PER_S = 200.0
"""Four times the voice's packets. A single NACK can name 6,000."""

_RTCP_TASK = "_RTCRtpReceiver__rtcp_task"
_STREAMS = "_RTCRtpReceiver__remote_streams"
_ACTIVE = "_RTCRtpReceiver__active_ssrc"
_REPORTED = ("_RTCRtpReceiver__lsr", "_RTCRtpReceiver__lsr_time")
_SENDER_TASKS = ("_RTCRtpSender__rtp_task", "_RTCRtpSender__rtcp_task")
_RECEIVER_ATTRIBUTES = {_RTCP_TASK, _STREAMS, _ACTIVE, *_REPORTED}
_ROUTER_ATTRIBUTES = {"ssrc_table", "payload_type_table", "senders"}


class BoundedNackGenerator(NackGenerator):
    """Asks for lost packets again; not for those of a gap that no sender remembers."""

    def add(self, packet: RtpPacket) -> bool:
        """Takes a packet; whether some before it are missing."""
        if self.max_seq is not None:
            ahead = ((packet.sequence_number - self.max_seq + 0x8000) & 0xFFFF) - 0x8000
            if abs(ahead) > RTP_HISTORY_SIZE:
                self.missing.clear()
                self.max_seq = packet.sequence_number
                return False
        return super().add(packet)


class BoundedStreamStatistics(StreamStatistics):
    """Statistics whose figures fit the fields of a report, whatever a sender's clock does."""

    @property
    def jitter(self) -> int:
        """32 bits."""
        return min(0xFFFFFFFF, max(0, super().jitter))

    @property
    def fraction_lost(self) -> int:
        """8 bits."""
        return min(0xFF, max(0, super().fraction_lost))


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

    def route_rtp(self, packet: RtpPacket) -> Any:
        """The receiver of an RTP packet, if there is one."""
        known = packet.ssrc in self.ssrc_table
        receiver = super().route_rtp(packet)
        if not known and receiver is not None:
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


class BoundedReceiver(RTCRtpReceiver):
    """aiortc's `RTCRtpReceiver` for a peer that may mean harm.

    Attributes:
        failures: How many packets and reports it failed on.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failures = 0
        self._stopped = False

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Starts, unless the connection was closed while it was made: nothing would end it."""
        if not self._stopped:
            await super().receive(parameters)

    async def stop(self) -> None:
        """Irreversibly stops."""
        self._stopped = True
        await super().stop()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        self._forget_streams(packet.ssrc)
        try:
            await super()._handle_rtp_packet(packet, arrival_time_ms)
        except ConnectionError:
            raise
        except Exception:  # of one packet
            self._failed("An RTP packet could not be handled.")

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        try:
            await super()._handle_rtcp_packet(packet)
        except ConnectionError:
            raise
        except Exception:  # of one packet
            self._failed("An RTCP packet could not be handled.")
        for name in _REPORTED:
            reported: dict[int, Any] = getattr(self, name)
            if len(reported) > MAX_ROUTES:
                reported.clear()

    async def _run_rtcp(self) -> None:
        while True:
            try:
                return await super()._run_rtcp()
            except Exception:  # of one report: without this task, closing waits for ever
                self._failed("A receiver report could not be made.")

    def _forget_streams(self, ssrc: int) -> None:
        """Makes room for a new source in the place of the one heard of least recently."""
        streams: dict[int, Any] = getattr(self, _STREAMS)
        if ssrc in streams or len(streams) < MAX_STREAMS:
            return
        active: dict[int, Any] = getattr(self, _ACTIVE)
        oldest = min(streams, key=lambda known: active[known])
        del streams[oldest], active[oldest]

    def _failed(self, what: str) -> None:
        self.failures += 1
        if self.failures == 1:
            logger.warning(what, exc_info=True)


class BoundedSender(RTCRtpSender):
    """aiortc's `RTCRtpSender`; sends again as much as it sends, and no more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retransmissions = Budget(RETRANSMISSIONS_PER_S, RTP_HISTORY_SIZE)
        self.failures = 0
        self._stopped = False

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Starts, unless the connection was closed while it was made: nothing would end it."""
        if not self._stopped:
            await super().send(parameters)

    async def stop(self) -> None:
        """Irreversibly stops."""
        self._stopped = True
        await super().stop()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket):
            del packet.lost[RTP_HISTORY_SIZE:]
        try:
            await super()._handle_rtcp_packet(packet)
        except ConnectionError:
            raise
        except Exception:  # of one packet
            self.failures += 1
            if self.failures == 1:
                logger.warning("An RTCP packet about the voice is not valid.", exc_info=True)

    async def _retransmit(self, sequence_number: int) -> None:
        if self._retransmissions.take(time.monotonic()):
            await super()._retransmit(sequence_number)


def cancel_tasks(transceiver: RTCRtpTransceiver) -> list[asyncio.Future[Any]]:
    """Cancels what sends a transceiver's media and reports, and returns it; for a failed close."""
    tasks = [getattr(transceiver.receiver, _RTCP_TASK, None)]
    tasks += [getattr(transceiver.sender, name, None) for name in _SENDER_TASKS]
    running = [task for task in tasks if task is not None and not task.done()]
    for task in running:
        task.cancel()
    return running


def install() -> None:
    """Puts the replacements in place."""
    rtp_module.DYNAMIC_PAYLOAD_TYPES = DYNAMIC_PAYLOAD_TYPES
    receiver_module.NackGenerator = BoundedNackGenerator
    receiver_module.StreamStatistics = BoundedStreamStatistics
    dtls_module.RtpPacket = StrictRtpPacket
    dtls_module.RtcpPacket = StrictRtcpPacket
    dtls_module.RtpRouter = BoundedRouter
    dtls_module.Session = BoundedSession
    peer_connection_module.RTCRtpReceiver = BoundedReceiver
    peer_connection_module.RTCRtpSender = BoundedSender


def missing() -> str | None:
    """What of aiortc is not as this file expects it, in words; None if all is there."""
    wanted: list[tuple[Any, str, list[str]]] = [
        (NackGenerator, "add", ["self", "packet"]),
        (StreamStatistics, "__init__", ["self", "clockrate"]),
        (RtpPacket, "parse", ["data", "extensions_map"]),
        (RtcpPacket, "parse", ["data"]),
        (RtpRouter, "route_rtp", ["self", "packet"]),
        (RtpRouter, "route_rtcp", ["self", "packet"]),
        (RTCRtpReceiver, "_handle_rtp_packet", ["self", "packet", "arrival_time_ms"]),
        (RTCRtpReceiver, "_handle_rtcp_packet", ["self", "packet"]),
        (RTCRtpReceiver, "_run_rtcp", ["self"]),
        (RTCRtpReceiver, "receive", ["self", "parameters"]),
        (RTCRtpReceiver, "stop", ["self"]),
        (RTCRtpSender, "send", ["self", "parameters"]),
        (RTCRtpSender, "stop", ["self"]),
        (RTCRtpSender, "_handle_rtcp_packet", ["self", "packet"]),
        (RTCRtpSender, "_retransmit", ["self", "sequence_number"]),
    ]
    for owner, name, parameters in wanted:
        found = getattr(owner, name, None)
        if found is None:
            return f"{owner.__name__}.{name} is gone"
        if list(inspect.signature(found).parameters) != parameters:
            return f"{owner.__name__}.{name} takes other arguments"
    for owner, attributes in (
        (RTCRtpReceiver, _RECEIVER_ATTRIBUTES),
        (RTCRtpSender, set(_SENDER_TASKS)),
        (RtpRouter, _ROUTER_ATTRIBUTES),
    ):
        for name in sorted(attributes - set(owner.__init__.__code__.co_names)):
            return f"{owner.__name__} no longer uses {name}"
    if not any(
        "Session" in method.__code__.co_names
        for method in vars(dtls_module.RTCDtlsTransport).values()
        if inspect.isfunction(method)
    ):
        return "RTCDtlsTransport no longer makes a pylibsrtp Session"
    for user, used in (
        (RTCRtpReceiver.__init__, "NackGenerator"),
        (RTCRtpReceiver._handle_rtp_packet, "StreamStatistics"),
        (dtls_module.RTCDtlsTransport.__init__, "RtpRouter"),
        (dtls_module.RTCDtlsTransport._handle_rtp_data, "RtpPacket"),
        (dtls_module.RTCDtlsTransport._handle_rtcp_data, "RtcpPacket"),
        (aiortc.rtcpeerconnection.find_common_codecs, "DYNAMIC_PAYLOAD_TYPES"),
    ):
        if used not in user.__code__.co_names:
            return f"{user.__qualname__} no longer uses {used}"
    return None
