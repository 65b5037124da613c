"""The only file of the caller that touches private parts of aiortc and aioice.

A caller needs seven things for which aiortc has no public interface:

- A loopback candidate. aioice gathers none, so a machine without a network could not call itself.
- The arrival time of each packet. aiortc's jitter buffer holds four packets back and passes each
  on 80 ms after it arrived: a reply measured behind it would look 80 ms slower.
- A smaller jitter buffer, for a caller who listens.
- A way to tell a lost path from a server that hangs up. aiortc closes the connection in both
  cases.
- An offer that does not wait 5 s for an unreachable STUN or TURN server.
- A connection that survives a slow path. aioice waits half a second for a consent response.
- Sound that is encoded and decoded in the event loop. aiortc hands each packet to a thread and
  back, and sums its samples in Python.

Each patch applies to one peer connection, so other programs in the process are unaffected.
`tests/caller/test_aiortc_patches.py` fails when aiortc or aioice changes one of these parts.
"""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aioice.ice
import av
from aioice import stun
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame

from vision_agent.caller.level import rms
from vision_agent.caller.recording import Samples, samples_of
from vision_agent.caller.sound_codec import SoundDecoder, sound_encoder

logger = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_SERVERS_WAIT_S = 2
_ICE_TRANSPORTS = "_RTCPeerConnection__iceTransports"
_SENDERS_TRACK = "_RTCRtpSender__track"
_DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"

_FULL_SCALE = 32767
_LOWEST_DBOV = -127  # RFC 6465

CONSENT_EVERY_S = 5.0
CONSENT_REPEATS = 2
"""How often a consent check is repeated. A response may then take 3.5 s."""

CONSENT_CHECKS = 4
"""Unanswered checks after which consent has expired (RFC 7675 5.1), which takes 30 to 38 s."""


def gather_loopback(peer: RTCPeerConnection) -> None:
    """Make a peer connection with its transceivers gather 127.0.0.1 as well.

    It waits 2 s at most for STUN and TURN servers.

    Raises:
        RuntimeError: aiortc or aioice no longer has the parts that are used.
    """
    try:
        for connection in _connections(peer):
            connection.get_component_candidates = _with_loopback(
                connection.get_component_candidates
            )
    except AttributeError as error:
        raise RuntimeError(f"aiortc has changed: the caller must be adapted ({error}).") from error


def keep_consent(peer: RTCPeerConnection) -> None:
    """Let the responses to a connection's consent checks take 3.5 s; call it before connecting.

    Raises:
        RuntimeError: aiortc or aioice no longer has the parts that are used.
    """
    try:
        for connection in _connections(peer):
            assert connection.query_consent
            connection.query_consent = lambda of=connection: _query_consent(of)
    except AttributeError as error:
        raise RuntimeError(f"aiortc has changed: the caller must be adapted ({error}).") from error


async def _query_consent(connection: Any) -> None:
    unanswered = 0
    while unanswered < CONSENT_CHECKS:
        await asyncio.sleep(CONSENT_EVERY_S * random.uniform(0.8, 1.2))
        for pair in list(connection._nominated.values()):
            check = connection.build_request(pair, nominate=False)
            key = connection.remote_password.encode()
            try:
                await pair.protocol.request(
                    check, pair.remote_addr, integrity_key=key, retransmissions=CONSENT_REPEATS
                )
                unanswered = 0
            except stun.TransactionError:
                unanswered += 1
    connection._query_consent_task = None  # `close` cancels it
    await connection.close()


def _connections(peer: RTCPeerConnection) -> list[Any]:
    return [each.iceGatherer._connection for each in getattr(peer, _ICE_TRANSPORTS)]


def _with_loopback(gather: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    def gather_both(component: int, addresses: list[str]) -> Awaitable[Any]:
        return gather(component, [*addresses, _LOOPBACK], _SERVERS_WAIT_S)

    return gather_both


def own_addresses() -> frozenset[str]:
    """This machine's addresses, without loopback."""
    return frozenset(aioice.ice.get_host_addresses(True, True))


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


def watch_path(peer: RTCPeerConnection, on_lost: Callable[[], None]) -> None:
    """Call `on_lost` when the socket that the connection uses is lost while in use.

    Raises:
        RuntimeError: aioice no longer has the method that is wrapped.
    """
    if peer.sctp is None:
        return
    transport = peer.sctp.transport.transport
    connection: Any = transport._connection
    report: Any = getattr(connection, "protocol_lost", None)
    if report is None:
        raise RuntimeError("Connection.protocol_lost is gone: the caller must be adapted.")

    def noted(protocol: Any) -> None:
        used = any(pair.protocol is protocol for pair in connection._nominated.values())
        if used and transport.state == "completed":
            on_lost()
        report(protocol)

    connection.protocol_lost = noted


def hold_back_little(receiver: RTCRtpReceiver) -> None:
    """Make an audio receiver pass each packet on when the next one arrives: after 20 ms, not 80.

    A lost packet is given up after 80 ms instead of 320.

    Raises:
        RuntimeError: aiortc no longer has the buffer that is replaced.
    """
    name = "_RTCRtpReceiver__jitter_buffer"
    if not isinstance(getattr(receiver, name, None), JitterBuffer):
        raise RuntimeError("RTCRtpReceiver.__jitter_buffer is gone: the caller must be adapted.")
    setattr(receiver, name, JitterBuffer(capacity=4, prefetch=1))


def encode_in_place(sender: RTCRtpSender) -> None:
    """Make a sender encode its sound in the event loop, without a thread: at most 0.2 ms a packet.

    Raises:
        RuntimeError: aiortc no longer has the method that is replaced.
    """
    if not hasattr(sender, "_next_encoded_frame") or not hasattr(sender, _SENDERS_TRACK):
        raise RuntimeError("RTCRtpSender._next_encoded_frame is gone: the caller must be adapted.")
    encoders: dict[str, Any] = {}

    async def encoded(codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        frame = await getattr(sender, _SENDERS_TRACK).recv()
        assert isinstance(frame, av.AudioFrame)
        if not sender._enabled:
            return None
        if codec.mimeType not in encoders:
            encoders[codec.mimeType] = sound_encoder(codec)
        payloads, timestamp = encoders[codec.mimeType].encode(frame)
        return RTCEncodedFrame(payloads, timestamp, _dbov(frame)) if payloads else None

    sender._next_encoded_frame = encoded  # type: ignore[method-assign]


class _DecodedInPlace(queue.Queue[None]):
    """Replaces the queue of aiortc's decoder thread, which receives only the end."""

    def __init__(self, take: Callable[[Samples, int], None]) -> None:
        super().__init__()
        self._decoder, self._take = SoundDecoder(), take
        self._has_told = False

    def put(
        self,
        item: tuple[RTCRtpCodecParameters, JitterFrame] | None,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Decode a packet, or end the thread."""
        if item is None:
            super().put(None, block, timeout)
            return
        codec, packet = item
        try:
            samples = self._decoder.decode(codec, packet)
        except av.FFmpegError as error:
            # Once: a server may send fifty of them a second.
            level = logging.DEBUG if self._has_told else logging.WARNING
            logger.log(level, "A packet of %s could not be decoded: %s", codec.name, error)
            self._has_told = True
            return
        if samples.size:
            self._take(samples, packet.timestamp)


def decode_in_place(receiver: RTCRtpReceiver, take: Callable[[Samples, int], None]) -> None:
    """Make an audio receiver that has not started decode in the event loop; its track gets nothing.

    Args:
        receiver: The receiver.
        take: Receives each packet's sound, mono s16 at `SOUND_RATE_HZ`, and its RTP time since the
            first packet.

    Raises:
        RuntimeError: aiortc no longer has the queue that is replaced.
    """
    if not isinstance(getattr(receiver, _DECODER_QUEUE, None), queue.Queue):
        raise RuntimeError("RTCRtpReceiver.__decoder_queue is gone: the caller must be adapted.")
    setattr(receiver, _DECODER_QUEUE, _DecodedInPlace(take))


def _dbov(frame: av.AudioFrame) -> int:
    """The level of a frame in dB relative to full scale."""
    level = rms(samples_of(frame)) / _FULL_SCALE
    return max(_LOWEST_DBOV, min(0, round(20 * math.log10(level)))) if level else _LOWEST_DBOV
