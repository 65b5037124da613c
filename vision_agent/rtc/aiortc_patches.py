"""Installs the replacements for parts of aiortc and aioice, and replaces their decoders.

The `aiortc_*` files alone touch private parts of aiortc and aioice. `aiortc_receiver`,
`aiortc_sender`, `aiortc_rtp` and `aiortc_sctp` bound what a peer can make aiortc do. `aiortc_ice`
keeps strangers out, `aiortc_stun` and `aiortc_turn` ask servers, and `aiortc_dtls` reports
failures. This file replaces ``get_decoder`` of ``aiortc.rtcrtpreceiver``, so that no frame ends the
decoder thread, and ``aioice.ice.get_host_addresses``, so that it returns the addresses of the
call's `network`.

`attach_decoder_queue` replaces the queue in front of a receiver's decoder. The new queue drops
unwanted frames before they reach the decoder thread. A decoder that returns nothing would drop them
too, but only after the change of thread. Opus is decoded in the queue, to one channel of 16 kHz,
because that is what a model takes (`libopus`); where libopus is not found, FFmpeg decodes it to one
of 48 kHz.

Written for aiortc 1.16 and aioice 0.13. `install` checks that all replaced parts still exist.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
from av import AudioCodecContext, CodecContext, Packet
from av.frame import Frame as MediaFrame

from vision_agent.libopus import library
from vision_agent.rtc import (
    aiortc_dtls,
    aiortc_ice,
    aiortc_receiver,
    aiortc_rtp,
    aiortc_sctp,
    aiortc_sender,
    aiortc_turn,
    network,
)
from vision_agent.rtc.aiortc_receiver import DECODER_ERROR, DECODER_QUEUE
from vision_agent.rtc.aiortc_shape import Changed, check_functions, check_uses
from vision_agent.rtc.decoder_queues import AudioDecoderQueue, VideoDecoderQueue
from vision_agent.rtc.h264_decoder import PromptH264Decoder
from vision_agent.rtc.opus_decoder import OpusDecoder
from vision_agent.rtc.own import aioice, aiortc
from vision_agent.rtc.own.aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver
from vision_agent.rtc.own.aiortc.codecs import get_decoder as stock_get_decoder
from vision_agent.rtc.own.aiortc.codecs.base import Decoder
from vision_agent.rtc.own.aiortc.jitterbuffer import JitterFrame
from vision_agent.rtc.own.aiortc.rtcrtpreceiver import RemoteStreamTrack

logger = logging.getLogger(__name__)

# Typed as Any, because attributes of the module are replaced.
receiver_module: Any = aiortc.rtcrtpreceiver

_INVALID_DATA = 1094995529  # FFmpeg's AVERROR_INVALIDDATA
_OPUS_TIME_BASE = Fraction(1, 48_000)
_DTLS_TRANSPORTS = "_RTCPeerConnection__dtlsTransports"
_PARTS = (
    *(aiortc_receiver, aiortc_sender, aiortc_rtp, aiortc_sctp),
    *(aiortc_ice, aiortc_turn, aiortc_dtls),
)
# Functions, and the names that this file reads or replaces and that they must use.
_READ: list[tuple[Any, str]] = [
    (RTCPeerConnection.__init__, _DTLS_TRANSPORTS),
    (RemoteStreamTrack.__init__, "_queue"),
    (RTCPeerConnection.setRemoteDescription, "_bundled"),
    (aioice.ice.Connection.gather_candidates, "get_host_addresses"),
]
_WORKER_PARAMETERS = ["loop", "input_q", "output_q", "decode_error"]

_decoder_queues: weakref.WeakKeyDictionary[
    MediaStreamTrack, AudioDecoderQueue | VideoDecoderQueue
] = weakref.WeakKeyDictionary()


class _MonoOpusDecoder:
    """Decodes with FFmpeg's libopus to mono, 48 kHz s16."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "r")
        assert isinstance(codec, AudioCodecContext)
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", 48_000
        self._codec = codec

    def decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        packet = Packet(encoded_frame.data)
        packet.pts = encoded_frame.timestamp
        packet.time_base = _OPUS_TIME_BASE
        frames: list[MediaFrame] = self._codec.decode(packet)  # type: ignore[assignment]
        return frames


class SafeDecoder(Decoder):
    """A decoder that raises `av.FFmpegError` only: any other exception would end aiortc's thread.

    Attributes:
        failures: How many frames raised another exception.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.failures = 0

    def decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        """Decodes a frame.

        Raises:
            av.FFmpegError: The frame could not be decoded.
        """
        try:
            frames: list[MediaFrame] = self._inner.decode(encoded_frame)
            return frames
        except av.FFmpegError:
            raise
        except Exception as error:  # reported as invalid data, like any other broken frame
            self.failures += 1
            if self.failures == 1:
                logger.warning("A frame could not be decoded.", exc_info=True)
            raise av.error.InvalidDataError(_INVALID_DATA, str(error)) from error


def get_decoder(codec: Any) -> SafeDecoder:
    """Replaces aiortc's `get_decoder`."""
    if codec.mimeType.lower() == "video/h264":
        return SafeDecoder(PromptH264Decoder())
    return SafeDecoder(stock_get_decoder(codec))


def get_mono_decoder(codec: Any) -> SafeDecoder | OpusDecoder:
    """A decoder for `AudioDecoderQueue`: mono for Opus, aiortc's own for other codecs."""
    if codec.mimeType.lower() != "audio/opus":
        return get_decoder(codec)
    opus = library()
    return SafeDecoder(_MonoOpusDecoder()) if opus is None else OpusDecoder(opus)


def install() -> None:
    """Puts the replacements in place. Safe to call again.

    Raises:
        RuntimeError: aiortc or aioice differs from the version that these files were written for;
            the text says how.
    """
    if getattr(receiver_module, "get_decoder", None) is get_decoder:
        return
    check()
    receiver_module.get_decoder = get_decoder
    for part in _PARTS:
        part.install()
    stock_addresses = aioice.ice.get_host_addresses

    def of_the_call(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        call = network.current.get(network.Network())
        addresses = call.addresses(stock_addresses(use_ipv4, use_ipv6))
        return [found for found in addresses if (use_ipv6 if ":" in found else use_ipv4)]

    aioice.ice.get_host_addresses = of_the_call


def check() -> None:
    """Checks that all parts of aiortc and aioice that are replaced or read still exist.

    Raises:
        RuntimeError: One does not; the text says which.
    """
    try:
        check_functions(
            [
                (receiver_module, "get_decoder", ["codec"]),
                (receiver_module, "decoder_worker", _WORKER_PARAMETERS),
                (aioice.ice, "get_host_addresses", ["use_ipv4", "use_ipv6"]),
            ]
        )
        check_uses([*_READ, (receiver_module.decoder_worker, "get_decoder")])
        for part in _PARTS:
            part.check()
    except Changed as error:
        raise RuntimeError(
            f"vision_agent replaces parts of aiortc 1.16 and aioice 0.13, and they have changed: "
            f"{error} (aiortc {aiortc.__version__}). Install the version that "
            "vision_agent asks for."
        ) from error


def attach_decoder_queue(receiver: RTCRtpReceiver) -> AudioDecoderQueue | VideoDecoderQueue:
    """Puts one of our queues between a receiver's jitter buffer and its decoder.

    Args:
        receiver: a receiver that has its track and has not been started yet.
    """
    track = receiver.track
    queue: AudioDecoderQueue | VideoDecoderQueue
    if track.kind == "audio":
        queue = AudioDecoderQueue(track._queue, get_mono_decoder)  # type: ignore[attr-defined]
    else:
        queue = VideoDecoderQueue(getattr(receiver, DECODER_ERROR).set)
    setattr(receiver, DECODER_QUEUE, queue)
    _decoder_queues[track] = queue
    return queue


def decoder_queue_of(track: MediaStreamTrack) -> AudioDecoderQueue | VideoDecoderQueue | None:
    """The queue that `attach_decoder_queue` gave a track; None for any other track."""
    return _decoder_queues.get(track)


def state_parameter_sets(pc: RTCPeerConnection, sets: Sequence[bytes]) -> None:
    """Gives the queues of a connection's video the H.264 parameter sets of its sections, in order.

    aiortc itself drops what an offer states of a codec.
    """
    videos = (each.receiver.track for each in pc.getTransceivers() if each.kind == "video")
    for track, stated in zip(videos, sets, strict=False):
        # A section in which the peer sends nothing has no track.
        if track is not None and isinstance(queue := decoder_queue_of(track), VideoDecoderQueue):
            queue.parameter_sets.state(stated)


def has_arrived(track: MediaStreamTrack) -> bool:
    """Whether any frame has arrived on a video track, wanted or not."""
    queue = _decoder_queues.get(track)
    return isinstance(queue, VideoDecoderQueue) and queue.has_arrived


def end_track(track: MediaStreamTrack) -> None:
    """Ends a remote track for its reader.

    aiortc does so only for a receiver that has started. Without this function the reader of a track
    whose peer never connected would wait without end.
    """
    queue = _decoder_queues.get(track)
    if queue is not None:
        queue.clear()
    if track.readyState == "live":
        track._queue.put_nowait(None)  # type: ignore[attr-defined]


def send_on(pc: RTCPeerConnection, track: MediaStreamTrack, position: int) -> None:
    """Has a track sent on an audio section of the offer that is set next.

    Args:
        pc: The connection.
        track: The track.
        position: 0 for the first audio section, 1 for the second. aiortc joins its transceivers to
            the sections in their order.
    """
    if position == 0:
        pc.addTrack(track)
    else:
        pc.addTransceiver("audio", direction="recvonly")
        pc.addTransceiver(track, direction="sendonly")


def share_transport(pc: RTCPeerConnection, first: str | None = None) -> None:
    """Makes aiortc keep the one transport of `MAX_BUNDLE`, and find it for candidates.

    aiortc marks every section but the one that it has made first as having no transport of its own.
    If the peer's bundle begins with another one, it would stop the transport, which is that of all,
    and take candidates for the wrong section.

    Args:
        pc: The connection.
        first: The section with which the bundle begins; None before there is one, when every
            transceiver is marked.
    """
    for transceiver in pc.getTransceivers():
        transceiver._bundled = first is None or transceiver.mid != first
    if pc.sctp is not None and first is not None:
        pc.sctp._bundled = pc.sctp.mid != first


def forget_listeners(pc: RTCPeerConnection) -> None:
    """Ends the references from the parts of a closed connection back to it."""
    for dtls in _dtls_transports(pc):
        dtls.remove_all_listeners()
        dtls.transport.remove_all_listeners()


class Transports:
    """The ICE and DTLS transports of a peer connection.

    aiortc creates them when the remote description is set; a renegotiation may add more.
    """

    def __init__(self, pc: RTCPeerConnection) -> None:
        self._pc = pc

    def checks(self) -> int:
        """The number of authenticated connectivity and consent checks so far (RFC 7675)."""
        return sum(connection.checks for connection in self._connections())

    def verified(self) -> int:
        """The number of authenticated packets from the peer so far: SRTP, SRTCP and data."""
        return sum(transport.verified for transport in _dtls_transports(self._pc))

    def consent_expired(self) -> bool:
        """Whether the peer has stopped answering consent checks (RFC 7675)."""
        return any(connection.consent_expired for connection in self._connections())

    async def close_unused_sockets(self) -> None:
        """Closes unused sockets; to be called at regular intervals on a connected peer."""
        for connection in self._connections():
            await connection.close_unused()

    def _connections(self) -> list[Any]:
        return [transport.transport._connection for transport in _dtls_transports(self._pc)]


def _dtls_transports(pc: RTCPeerConnection) -> set[Any]:
    """The DTLS transports of a connection, without those that bundling made superfluous."""
    transports = set(getattr(pc, _DTLS_TRANSPORTS))
    transports |= {t.receiver.transport for t in pc.getTransceivers()}
    if pc.sctp is not None:
        transports.add(pc.sctp.transport)
    return transports - {None}


async def abandon(pc: RTCPeerConnection) -> None:
    """Frees the sockets and ends the tasks of a connection whose `close()` failed or hung."""
    running = [task for t in pc.getTransceivers() for task in aiortc_sender.cancel_tasks(t)]
    if running:
        await asyncio.wait(running, timeout=1)
    for transport in _dtls_transports(pc):
        try:
            await asyncio.wait_for(transport.transport._connection.close(), 1)
        except (TimeoutError, OSError, AttributeError, RuntimeError) as error:
            logger.warning("A transport could not be closed: %r", error)
