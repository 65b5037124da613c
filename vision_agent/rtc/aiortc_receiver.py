"""aiortc's `RTCRtpReceiver`, bounded in what a peer can make it do, and without added delay.

One of the files that touch private parts of aiortc (see `aiortc_patches`). One function here
handles a packet. aiortc's own function reads the clock three times, delays audio, hands a video
frame over only when the next one begins, and hands over at most one frame for each packet, so that
the backlog of every loss stays for the rest of the call. The reports and the decoder thread remain
aiortc's.

Nothing that a peer sends ends the receive loop, or the report task, for whose end closing waits. A
failure is logged once and counted.

Written for aiortc 1.16.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.jitter_buffer import AudioJitterBuffer, Encoded, MediaClock, VideoJitterBuffer
from vision_agent.rtc.media_packet import MediaPacket, vp8_data
from vision_agent.rtc.own import aiortc
from vision_agent.rtc.own.aiortc import RTCRtpReceiver
from vision_agent.rtc.own.aiortc.codecs import depayload, is_rtx
from vision_agent.rtc.own.aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
)
from vision_agent.rtc.own.aiortc.rtcrtpreceiver import (
    NackGenerator,
    StreamStatistics,
)
from vision_agent.rtc.own.aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
)

logger = logging.getLogger(__name__)

# Typed as Any, because attributes of the module are replaced.
peer_connection_module: Any = aiortc.rtcpeerconnection
receiver_module: Any = aiortc.rtcrtpreceiver

MAX_STREAMS = 4
"""Synchronization sources that a receiver keeps: the stream, its retransmissions, and one earlier
source of each. A report has room for 31 sources, and each costs memory as long as the call lasts.
"""

MAX_REPORTED = 24
"""How many sources' sender reports are remembered."""

LAYER_GONE_S = 2.0
"""A video source that has sent no packet for this long has ended; another one is then watched."""

FIXED_BITRATE_BPS = 2_500_000
REPORT_EVERY_S = 1.0
_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

RTCP_TASK = "_RTCRtpReceiver__rtcp_task"
STREAMS = "_RTCRtpReceiver__remote_streams"
DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
REPORTED = ("_RTCRtpReceiver__lsr", "_RTCRtpReceiver__lsr_time")
_DECODER_THREAD = "_RTCRtpReceiver__decoder_thread"
_RTX_SSRC = "_RTCRtpReceiver__rtx_ssrc"
_RTCP_SSRC = "_RTCRtpReceiver__rtcp_ssrc"


class BoundedNackGenerator(NackGenerator):
    """Finds the lost packets to request again, except in a gap too long for a sender's history."""

    def add(self, packet: MediaPacket | RtpPacket) -> bool:
        """Takes a packet; returns whether it reveals that earlier packets are missing."""
        sequence = packet.sequence_number
        if self.max_seq is not None:
            ahead = ((sequence - self.max_seq + 0x8000) & 0xFFFF) - 0x8000
            if ahead == 1 and not self.missing:
                self.max_seq = sequence
                return False
            if abs(ahead) > RTP_HISTORY_SIZE:
                self.missing.clear()
                self.max_seq = sequence
                return False
        return super().add(packet)  # type: ignore[arg-type]


class BoundedStreamStatistics(StreamStatistics):
    """Statistics whose figures fit the fields of a report, whatever a sender's clock does.

    Attributes:
        received_at_s: the arrival time of the source's newest packet (monotonic).
    """

    received_at_s = 0.0

    def count(self, packet: MediaPacket | RtpPacket, now_s: float) -> None:
        """Counts a packet, as aiortc's `add` does, at a given time (RFC 3550 6.4.1)."""
        self.received_at_s = now_s
        self.packets_received += 1
        sequence, timestamp = packet.sequence_number, packet.timestamp
        arrival = int(now_s * self._clockrate)
        if self.max_seq is None:
            self.base_seq = sequence
        else:
            if not 0 < (sequence - self.max_seq) & 0xFFFF < 0x8000:
                return
            if sequence < self.max_seq:
                self.cycles += 1 << 16
            if timestamp != self._last_timestamp:
                assert self._last_arrival is not None
                assert self._last_timestamp is not None
                diff = abs((arrival - self._last_arrival) - (timestamp - self._last_timestamp))
                self._jitter_q4 += diff - ((self._jitter_q4 + 8) >> 4)
        self.max_seq = sequence
        self._last_arrival, self._last_timestamp = arrival, timestamp

    @property
    def jitter(self) -> int:
        """The interarrival jitter, limited to the 32 bits of its field."""
        return min(0xFFFFFFFF, max(0, super().jitter))

    @property
    def fraction_lost(self) -> int:
        """The fraction of packets lost, limited to the 8 bits of its field."""
        return min(0xFF, max(0, super().fraction_lost))


class FixedBitrate:
    """Announces a fixed 2.5 Mbps once a second (REMB), instead of an estimate.

    aiortc's estimate makes Chromium drop to 480x360 after 2 s and takes 30 s to recover; it also
    costs 19 µs a packet.
    """

    def __init__(self) -> None:
        self._ssrcs: dict[int, None] = {}
        self._said_at_s: float | None = None

    def add(self, ssrc: int, now_s: float) -> list[int] | None:
        """Takes a packet's source; returns the sources to announce, or None before it is time."""
        if ssrc not in self._ssrcs and len(self._ssrcs) < 8:
            self._ssrcs[ssrc] = None
        if self._said_at_s is not None and now_s - self._said_at_s < REPORT_EVERY_S:
            return None
        self._said_at_s = now_s
        return list(self._ssrcs)


@dataclass(frozen=True, slots=True)
class _Format:
    """How the payloads of one payload type are handled."""

    codec: RTCRtpCodecParameters
    data_of: Callable[[bytes], bytes]
    retransmission_of: int | None

    @classmethod
    def of(cls, codec: RTCRtpCodecParameters) -> _Format:
        if is_rtx(codec):
            apt = codec.parameters["apt"]
            assert isinstance(apt, int)
            return cls(codec, bytes, apt)
        if codec.name == "VP8":
            return cls(codec, vp8_data, None)
        if codec.name == "H264":
            return cls(codec, lambda payload: depayload(codec, payload), None)
        return cls(codec, bytes, None)


class BoundedReceiver(RTCRtpReceiver):
    """aiortc's `RTCRtpReceiver` for a peer that may be hostile.

    Attributes:
        failures: How many packets and reports could not be handled.
    """

    def __init__(self, kind: str, transport: Any) -> None:
        super().__init__(kind, transport)
        self.failures = 0
        self._stopped = False
        self._formats: dict[int, _Format] = {}
        self._streams: dict[int, BoundedStreamStatistics] = getattr(self, STREAMS)
        self._rtx_ssrc: dict[int, int] = getattr(self, _RTX_SSRC)
        self._decoder_error = getattr(self, DECODER_ERROR)
        self._decoder_queue: Any = None
        self._timestamps = MediaClock()
        self._sound = AudioJitterBuffer() if kind == "audio" else None
        self._frames = VideoJitterBuffer()
        self._nack = BoundedNackGenerator()
        self._bitrate: FixedBitrate | None = None
        self._layer: int | None = None
        self._layer_at_s = 0.0

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Starts, unless the connection was closed meanwhile: nothing would stop the receiver."""
        if self._stopped:
            return
        if self._decoder_queue is None:
            self._decoder_queue = getattr(self, DECODER_QUEUE)
            self._formats = {
                codec.payloadType: _Format.of(codec)
                for codec in parameters.codecs
                if codec.payloadType is not None
                and (not is_rtx(codec) or isinstance(codec.parameters.get("apt"), int))
            }
            extensions = {extension.uri for extension in parameters.headerExtensions}
            if self._sound is None and _ABS_SEND_TIME in extensions:
                self._bitrate = FixedBitrate()
        await super().receive(parameters)

    async def stop(self) -> None:
        """Stops for good."""
        self._stopped = True
        await super().stop()

    def take(self, packet: MediaPacket | RtpPacket, now_s: float) -> None:
        """Handles a packet on arrival; `now_s` is monotonic."""
        try:
            self._take(packet, now_s)
        except Exception:  # whatever one packet causes
            self._failed("An RTP packet could not be handled.")

    def _take(self, packet: MediaPacket | RtpPacket, now_s: float) -> None:
        form = self._formats.get(packet.payload_type)
        if form is None or not self._enabled:
            return
        stream = self._streams.get(packet.ssrc)
        if stream is None:
            stream = self._new_stream(packet.ssrc, form.codec.clockRate)
        stream.count(packet, now_s)
        if self._bitrate is not None and (ssrcs := self._bitrate.add(packet.ssrc, now_s)):
            self._send_feedback(RTCP_PSFB_APP, 0, pack_remb_fci(FIXED_BITRATE_BPS, ssrcs))
        if form.retransmission_of is not None:
            original = self._formats.get(form.retransmission_of)
            ssrc = self._rtx_ssrc.get(packet.ssrc)
            if original is None or ssrc is None or len(packet.payload) < 2:
                return
            form, packet = original, _unwrapped(packet, ssrc)
        if self._sound is None and not self._is_of_the_layer(packet.ssrc, now_s):
            return
        if self._sound is None and self._nack.add(packet):
            self._ask_again(packet.ssrc, sorted(self._nack.missing))
        try:
            data = form.data_of(packet.payload) if packet.payload else b""
        except ValueError:
            return
        sequence, timestamp = packet.sequence_number, packet.timestamp
        if self._sound is not None:
            ready = self._sound.add(sequence, timestamp, data)
        else:
            key_frame_needed, ready = self._frames.add(
                sequence, timestamp, bool(packet.marker), data, now_s
            )
            if self._decoder_error.is_set():
                self._decoder_error.clear()
                key_frame_needed = True
            if key_frame_needed:
                self._send_feedback(RTCP_PSFB_PLI, packet.ssrc)
        for encoded in ready:
            self._decode(form.codec, encoded)

    def _is_of_the_layer(self, ssrc: int, now_s: float) -> bool:
        """Whether a video packet belongs to the source that is watched.

        Some senders send every layer of simulcast, although the answer accepts none.
        """
        if ssrc != self._layer:
            if self._layer is not None and now_s - self._layer_at_s < LAYER_GONE_S:
                return False
            if self._layer is not None:
                # The next source has sequence numbers of its own, perhaps just below the last ones.
                self._nack = BoundedNackGenerator()
                self._frames.start_over()
            self._layer = ssrc
        self._layer_at_s = now_s
        return True

    def _decode(self, codec: RTCRtpCodecParameters, encoded: Encoded) -> None:
        if getattr(self, _DECODER_THREAD) is not None:
            encoded.timestamp = self._timestamps.map(encoded.timestamp)
            self._decoder_queue.put((codec, encoded))

    def _new_stream(self, ssrc: int, clock_rate_hz: int) -> BoundedStreamStatistics:
        """Adds a source; if there are too many, it replaces the least recently active one."""
        if len(self._streams) >= MAX_STREAMS:
            del self._streams[min(self._streams, key=lambda at: self._streams[at].received_at_s)]
        stream = self._streams[ssrc] = BoundedStreamStatistics(clock_rate_hz)
        return stream

    def _ask_again(self, media_ssrc: int, lost: list[int]) -> None:
        if (ssrc := getattr(self, _RTCP_SSRC)) is not None:
            self._send_now(RtcpRtpfbPacket(RTCP_RTPFB_NACK, ssrc, media_ssrc, lost))

    def _send_feedback(self, kind: int, media_ssrc: int, fci: bytes = b"") -> None:
        if (ssrc := getattr(self, _RTCP_SSRC)) is not None:
            self._send_now(RtcpPsfbPacket(kind, ssrc, media_ssrc, fci))

    def _send_now(self, packet: AnyRtcpPacket) -> None:
        with contextlib.suppress(ConnectionError):
            self.transport.send_now(bytes(packet))  # type: ignore[attr-defined]

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        self.take(packet, time.monotonic())

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        try:
            await super()._handle_rtcp_packet(packet)
        except ConnectionError:
            raise
        except Exception:  # whatever one packet causes
            self._failed("An RTCP packet could not be handled.")
        for name in REPORTED:
            reported: dict[int, Any] = getattr(self, name)
            if len(reported) > MAX_REPORTED:
                reported.clear()

    async def _run_rtcp(self) -> None:
        while True:
            try:
                return await super()._run_rtcp()
            except Exception:  # one report's failure: if this task ended, closing would never end
                self._failed("A receiver report could not be made.")

    def _failed(self, what: str) -> None:
        self.failures += 1
        if self.failures == 1:
            logger.warning(what, exc_info=True)


def _unwrapped(rtx: MediaPacket | RtpPacket, ssrc: int) -> MediaPacket:
    """The original packet that a retransmission packet contains (RFC 4588 4)."""
    return MediaPacket(
        payload_type=rtx.payload_type,
        marker=rtx.marker,
        sequence_number=int.from_bytes(rtx.payload[:2]),
        timestamp=rtx.timestamp,
        ssrc=ssrc,
        payload=rtx.payload[2:],
    )


def install() -> None:
    """Installs the replacement in aiortc's module."""
    peer_connection_module.RTCRtpReceiver = BoundedReceiver
    # A thousand objects for each video, which `FixedBitrate` leaves unused.
    receiver_module.RemoteBitrateEstimator = lambda: None


def check() -> None:
    """Checks the parts of aiortc that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions(
        [
            (NackGenerator, "add", ["self", "packet"]),
            (StreamStatistics, "__init__", ["self", "clockrate"]),
            (RTCRtpReceiver, "__init__", ["self", "kind", "transport"]),
            (RTCRtpReceiver, "_handle_rtp_packet", ["self", "packet", "arrival_time_ms"]),
            (RTCRtpReceiver, "_handle_rtcp_packet", ["self", "packet"]),
            (RTCRtpReceiver, "_run_rtcp", ["self"]),
            (RTCRtpReceiver, "receive", ["self", "parameters"]),
            (RTCRtpReceiver, "stop", ["self"]),
        ]
    )
    check_uses([(RTCRtpReceiver, "RemoteBitrateEstimator")])
    attributes = {RTCP_TASK, STREAMS, DECODER_QUEUE, DECODER_ERROR, *REPORTED}
    check_attributes(
        RTCRtpReceiver, attributes | {_DECODER_THREAD, _RTX_SSRC, _RTCP_SSRC, "_enabled"}
    )
    figures = {"base_seq", "max_seq", "cycles", "packets_received", "_clockrate"}
    check_attributes(StreamStatistics, figures | {"_jitter_q4", "_last_arrival", "_last_timestamp"})
