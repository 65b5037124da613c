"""One of the `aiortc_*` files, which alone touch private parts of aiortc and aioice.

`aiortc_rtp` and `aiortc_sctp` bound what a peer can make aiortc do, `aiortc_ice` and `aiortc_dtls`
keep strangers out and failures seen. Here, three module
globals of ``aiortc.rtcrtpreceiver`` are replaced, once for the process (`install`):

- ``JitterBuffer``: no waiting for sound, the marker bit for pictures (see `jitter_buffer`).
- ``get_decoder``: frames that the jitter buffer handed over together are unfolded.
- ``RemoteBitrateEstimator``: a fixed answer. aiortc's estimate makes Chromium drop to 480x360
  after 2 s and takes 30 s to come back; it also costs 19 µs a packet.

And ``aioice.ice.get_host_addresses`` names the addresses of the call's `network`.

`take_over` then puts a lane in the place of one receiver's decoder queue. What is not wanted is
dropped there, before the decoder's thread hears of it, rather than by a decoder that returns
nothing: that saves the change of thread as well. And there, Opus is decoded to one channel, which
is all a model hears (48 against 61 µs a packet, and less to resample).

Written for aiortc 1.16 and aioice 0.13. `install` checks that all of it is still there.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import weakref
from fractions import Fraction
from typing import Any

import aioice.ice
import aiortc
import aiortc.rtcrtpreceiver
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver
from aiortc.codecs import get_decoder as stock_get_decoder
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av import AudioCodecContext, CodecContext, Packet
from av.frame import Frame as MediaFrame

from vision_agent.rtc import aiortc_dtls, aiortc_ice, aiortc_rtp, aiortc_sctp, network
from vision_agent.rtc.jitter_buffer import AudioJitterBuffer, Encoded, VideoJitterBuffer
from vision_agent.rtc.lane import AudioLane, VideoLane
from vision_agent.rtc.picture_size import MAX_AREA_PX

logger = logging.getLogger(__name__)

# Any: what is replaced here is not for a type checker to follow.
receiver_module: Any = aiortc.rtcrtpreceiver

FIXED_BITRATE_BPS = 2_500_000
REPORT_EVERY_MS = 1000
_INVALID_DATA = 1094995529  # FFmpeg's AVERROR_INVALIDDATA
_OPUS_TIME_BASE = Fraction(1, 48_000)
_DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
_DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
_DTLS_TRANSPORTS = "_RTCPeerConnection__dtlsTransports"
_NAMES_IN_RECEIVER = {_DECODER_QUEUE, _DECODER_ERROR, "JitterBuffer", "RemoteBitrateEstimator"}
# Attributes that are read, and functions that use them.
_READ: list[tuple[Any, str]] = [
    (RTCPeerConnection.__init__, _DTLS_TRANSPORTS),
    (RemoteStreamTrack.__init__, "_queue"),
    (RTCRtpReceiver._handle_rtp_packet, "_data"),
]

_lanes: weakref.WeakKeyDictionary[MediaStreamTrack, AudioLane | VideoLane] = (
    weakref.WeakKeyDictionary()
)


class OrderedFrame(JitterFrame):
    """An encoded frame, with those that became complete together with it.

    aiortc takes at most one frame for each packet that arrives. Handing the others over with
    later packets would leave the backlog of every loss in place for the rest of the call.
    """

    def __init__(self, encoded: Encoded, followers: list[Encoded]) -> None:
        super().__init__(data=encoded.data, timestamp=encoded.timestamp)
        self.after_loss = encoded.after_loss
        # aiortc rewrites `timestamp` to count from zero, but of the first frame only.
        self._followers = [
            ((follower.timestamp - encoded.timestamp) & 0xFFFFFFFF, follower)
            for follower in followers
        ]

    def unfolded(self) -> list[OrderedFrame]:
        """This frame and its followers, oldest first, each by itself."""
        frames = [self]
        for offset, follower in self._followers:
            frame = OrderedFrame(follower, [])
            frame.timestamp = self.timestamp + offset
            frames.append(frame)
        return frames


class PromptJitterBuffer:
    """aiortc's `JitterBuffer` to its receiver; `jitter_buffer` inside."""

    def __init__(self, capacity: int, prefetch: int = 0, is_video: bool = False) -> None:
        self._audio = None if is_video else AudioJitterBuffer()
        self._video = VideoJitterBuffer(capacity) if is_video else None

    def add(self, packet: Any) -> tuple[bool, OrderedFrame | None]:
        """Takes one depayloaded RTP packet; returns whether to send a PLI, and what is whole."""
        key_frame_needed = False
        if self._audio is not None:
            ready = self._audio.add(packet.sequence_number, packet.timestamp, packet._data)
        else:
            assert self._video is not None
            key_frame_needed, ready = self._video.add(
                packet.sequence_number,
                packet.timestamp,
                bool(packet.marker),
                packet._data,
                time.monotonic(),
            )
        return key_frame_needed, OrderedFrame(ready[0], ready[1:]) if ready else None


class FixedBitrate:
    """aiortc's `RemoteBitrateEstimator` to its receiver: 2.5 Mbps, said once a second."""

    def __init__(self) -> None:
        self._ssrcs: dict[int, None] = {}
        self._said_at_ms: int | None = None

    def add(
        self, arrival_time_ms: int, abs_send_time: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Returns (bits a second, the streams it is about) when it is time to say so (REMB)."""
        if ssrc not in self._ssrcs and len(self._ssrcs) < 8:
            self._ssrcs[ssrc] = None
        if self._said_at_ms is not None and arrival_time_ms - self._said_at_ms < REPORT_EVERY_MS:
            return None
        self._said_at_ms = arrival_time_ms
        return FIXED_BITRATE_BPS, list(self._ssrcs)


class _MonoOpusDecoder:
    """libopus decoding to one channel, 48 kHz s16 (it mixes a stereo stream down itself)."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "r")
        assert isinstance(codec, AudioCodecContext)
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", 48_000
        self._codec = codec

    def decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        packet = Packet(encoded_frame.data)
        packet.pts = encoded_frame.timestamp
        packet.time_base = _OPUS_TIME_BASE
        return list(self._codec.decode(packet))


class UnfoldingDecoder(Decoder):
    """A decoder of one frame at a time, given what the jitter buffer hands over."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.failures = 0

    def decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        """Decodes the frame and those that became complete together with it."""
        frames = [encoded_frame]
        if isinstance(encoded_frame, OrderedFrame):
            frames = list(encoded_frame.unfolded())
        return [decoded for one in frames for decoded in self._decode(one)]

    def _decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        try:
            return list(self._inner.decode(encoded_frame))
        except av.FFmpegError:
            raise
        except Exception as error:  # as any other broken frame: it must not end aiortc's thread
            self.failures += 1
            if self.failures == 1:
                logger.warning("A frame could not be decoded.", exc_info=True)
            raise av.error.InvalidDataError(_INVALID_DATA, str(error)) from error


def get_decoder(codec: Any) -> UnfoldingDecoder:
    """Replaces aiortc's `get_decoder`."""
    decoder = stock_get_decoder(codec)
    if isinstance(decoder, H264Decoder):
        # Beside `picture_size`: FFmpeg reads a parameter set that it finds broken in another way.
        decoder.codec.options = {"max_pixels": str(MAX_AREA_PX)}
    return UnfoldingDecoder(decoder)


def get_mono_decoder(codec: Any) -> UnfoldingDecoder:
    """A decoder for a lane: mono for Opus, aiortc's own for everything else."""
    if codec.mimeType.lower() == "audio/opus":
        return UnfoldingDecoder(_MonoOpusDecoder())
    return get_decoder(codec)


def install() -> None:
    """Puts the replacements in place. Safe to call again.

    Raises:
        RuntimeError: aiortc or aioice is not what this file was written for; says what differs.
    """
    if getattr(receiver_module, "JitterBuffer", None) is PromptJitterBuffer:
        return
    check()
    receiver_module.JitterBuffer = PromptJitterBuffer
    receiver_module.RemoteBitrateEstimator = FixedBitrate
    receiver_module.get_decoder = get_decoder
    aiortc_rtp.install()
    aiortc_sctp.install()
    aiortc_ice.install()
    aiortc_dtls.install()
    stock_addresses = aioice.ice.get_host_addresses

    def of_the_call(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        call = network.current.get(network.Network())
        addresses = call.addresses(stock_addresses(use_ipv4, use_ipv6))
        return [found for found in addresses if (use_ipv6 if ":" in found else use_ipv4)]

    aioice.ice.get_host_addresses = of_the_call


def check() -> None:
    """Raises RuntimeError, in words, unless all that this file replaces or reads is there."""
    wanted: list[tuple[Any, str, list[str]]] = [
        (receiver_module, "JitterBuffer", ["capacity", "prefetch", "is_video"]),
        (receiver_module, "get_decoder", ["codec"]),
        (receiver_module, "RemoteBitrateEstimator", []),
        (
            receiver_module,
            "decoder_worker",
            ["loop", "input_q", "output_q", "decode_error"],
        ),
        (getattr(receiver_module, "JitterBuffer", None), "add", ["self", "packet"]),
        (
            getattr(receiver_module, "RemoteBitrateEstimator", None),
            "add",
            ["self", "arrival_time_ms", "abs_send_time", "payload_size", "ssrc"],
        ),
        (aioice.ice, "get_host_addresses", ["use_ipv4", "use_ipv6"]),
    ]
    for owner, name, parameters in wanted:
        found = getattr(owner, name, None)
        where = getattr(owner, "__name__", repr(owner))
        if found is None:
            raise RuntimeError(_changed(f"{where}.{name} is gone"))
        if list(inspect.signature(found).parameters) != parameters:
            raise RuntimeError(_changed(f"{where}.{name} takes other arguments"))
    for user, name in _READ:
        if name not in user.__code__.co_names:
            raise RuntimeError(_changed(f"{user.__qualname__} no longer uses {name}"))
    used = set(RTCRtpReceiver.__init__.__code__.co_names)
    for name in sorted(_NAMES_IN_RECEIVER - used):
        raise RuntimeError(_changed(f"RTCRtpReceiver no longer uses {name}"))
    if "get_decoder" not in receiver_module.decoder_worker.__code__.co_names:
        raise RuntimeError(_changed("decoder_worker no longer uses get_decoder"))
    for part in (aiortc_rtp, aiortc_sctp, aiortc_ice, aiortc_dtls):
        if changed := part.missing():
            raise RuntimeError(_changed(changed))
    if "get_host_addresses" not in aioice.ice.Connection.gather_candidates.__code__.co_names:
        raise RuntimeError(_changed("gather_candidates no longer uses get_host_addresses"))


def _changed(what: str) -> str:
    return (
        f"vision_agent replaces parts of aiortc 1.16 and aioice 0.13, and they have changed: "
        f"{what} (aiortc {aiortc.__version__}). Install the version that vision_agent asks for."
    )


def take_over(receiver: RTCRtpReceiver) -> AudioLane | VideoLane:
    """Puts a lane between a receiver's jitter buffer and its decoder; before it starts.

    Args:
        receiver: a receiver that has its track and has not received anything yet.
    """
    track = receiver.track
    lane: AudioLane | VideoLane
    if track.kind == "audio":
        lane = AudioLane(track._queue, get_mono_decoder)  # type: ignore[attr-defined]
    else:
        lane = VideoLane(getattr(receiver, _DECODER_ERROR).set)
    setattr(receiver, _DECODER_QUEUE, lane)
    _lanes[track] = lane
    return lane


def lane_of(track: MediaStreamTrack) -> AudioLane | VideoLane | None:
    """The lane of a track that `take_over` has seen; None for any other track."""
    return _lanes.get(track)


def has_arrived(track: MediaStreamTrack) -> bool:
    """Whether any picture has arrived on a video track, wanted or not."""
    lane = _lanes.get(track)
    return isinstance(lane, VideoLane) and lane.has_arrived


def end_track(track: MediaStreamTrack) -> None:
    """Ends a remote track for whoever reads it.

    aiortc does so only for a receiver that has started: one of a peer that never connected leaves
    its reader waiting for ever.
    """
    lane = _lanes.get(track)
    if lane is not None:
        lane.clear()
    if track.readyState == "live":
        track._queue.put_nowait(None)  # type: ignore[attr-defined]


class Transports:
    """The ICE and DTLS transports under a peer connection, as far as they are ours to read.

    Made when the remote description is set; a renegotiation adds to them.
    """

    def __init__(self, pc: RTCPeerConnection) -> None:
        self._pc = pc

    def checks(self) -> int:
        """Authenticated connectivity and consent checks until now (RFC 7675)."""
        return sum(connection.checks for connection in self._connections())

    def verified(self) -> int:
        """Authenticated packets of the peer until now: SRTP, SRTCP, data."""
        return sum(transport.verified for transport in _dtls_transports(self._pc))

    async def close_unused_sockets(self) -> None:
        """Closes sockets over which nothing goes; call it once a round on a connected peer."""
        for connection in self._connections():
            await connection.close_unused()

    def _connections(self) -> list[Any]:
        return [transport.transport._connection for transport in _dtls_transports(self._pc)]


def _dtls_transports(pc: RTCPeerConnection) -> set[Any]:
    """The transports of a connection; those that were bundled away are gone."""
    transports = set(getattr(pc, _DTLS_TRANSPORTS))
    transports |= {t.receiver.transport for t in pc.getTransceivers()}
    if pc.sctp is not None:
        transports.add(pc.sctp.transport)
    return transports - {None}


async def abandon(pc: RTCPeerConnection) -> None:
    """Frees the sockets and ends the tasks of a connection whose `close()` failed or hung."""
    running = [task for t in pc.getTransceivers() for task in aiortc_rtp.cancel_tasks(t)]
    if running:
        await asyncio.wait(running, timeout=1)
    for transport in _dtls_transports(pc):
        try:
            await asyncio.wait_for(transport.transport._connection.close(), 1)
        except (TimeoutError, OSError, AttributeError, RuntimeError) as error:
            logger.warning("A transport could not be closed: %r", error)
