"""aiortc's `RTCRtpSender`, bounded in what a peer can make it do, and cheap for a `Speaker`.

One of the files that touch private parts of aiortc (see `aiortc_patches`). aiortc asks a track for
its next packet in a task, and builds an object for each header that it writes. The payloads of a
`Speaker` are instead sent by a timer, in the step of the event loop in which they are due. Any
other track is sent as aiortc sends it.

Written for aiortc 1.16.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from vision_agent.rtc.aiortc_receiver import RTCP_TASK
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions
from vision_agent.rtc.budget import Budget
from vision_agent.rtc.own import aiortc
from vision_agent.rtc.own.aiortc import RTCRtpSender, RTCRtpTransceiver
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamTrack
from vision_agent.rtc.own.aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpSendParameters
from vision_agent.rtc.own.aiortc.rtcrtpsender import RTCEncodedFrame, random_sequence_number
from vision_agent.rtc.own.aiortc.rtp import (
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    HeaderExtensions,
    HeaderExtensionsMap,
    RtcpRtpfbPacket,
)
from vision_agent.rtc.own.aiortc.utils import random32
from vision_agent.rtc.packet_writer import PacketWriter
from vision_agent.rtc.speaker import Speaker

logger = logging.getLogger(__name__)

# Typed as Any, because attributes of the module are replaced.
peer_connection_module: Any = aiortc.rtcpeerconnection

RETRANSMISSIONS_PER_S = 200.0
"""Four times the rate of the voice's packets. A single NACK can name 6,000."""

_NTP_EPOCH_S = -2_208_988_800
_TASKS = ("_RTCRtpSender__rtp_task", "_RTCRtpSender__rtcp_task")
_EXTENSIONS = "_RTCRtpSender__rtp_header_extensions_map"
_MID = "_RTCRtpSender__mid"


class BoundedSender(RTCRtpSender):
    """aiortc's `RTCRtpSender`; it retransmits at most `RETRANSMISSIONS_PER_S` packets.

    Attributes:
        failures: How many RTCP packets could not be handled.
    """

    # aiortc's own attributes, from which it makes the sender reports.
    _RTCRtpSender__ntp_timestamp: int
    _RTCRtpSender__rtp_timestamp: int
    _RTCRtpSender__octet_count: int
    _RTCRtpSender__packet_count: int

    _sends_voice = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retransmissions = Budget(RETRANSMISSIONS_PER_S, RTP_HISTORY_SIZE)
        self._sent: dict[int, bytes] = {}
        self.failures = 0
        self._stopped = False

    def replaceTrack(self, track: MediaStreamTrack | None) -> None:
        """Sets the track, until a voice is being sent.

        Raises:
            RuntimeError: a voice is being sent. aiortc would number the next track's packets
                afresh, and SRTP refuses numbers that go back.
        """
        if self._sends_voice:
            raise RuntimeError("The voice that is being sent can't be replaced.")
        super().replaceTrack(track)

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Starts, unless the connection was closed meanwhile: nothing would stop the sender."""
        if not self._stopped:
            await super().send(parameters)

    async def stop(self) -> None:
        """Stops for good."""
        self._stopped = True
        await super().stop()

    async def _next_encoded_frame(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        if isinstance(self.track, Speaker):
            await self._send_voice(self.track, codec)
            return None
        return await super()._next_encoded_frame(codec)

    async def _send_voice(self, voice: Speaker, codec: RTCRtpCodecParameters) -> None:
        """Sends a voice's payloads until the voice ends."""
        self._sends_voice = True
        assert codec.payloadType is not None
        writer = PacketWriter(
            codec.payloadType,
            self._ssrc,
            random_sequence_number(),
            random32(),
            _extension_block(getattr(self, _EXTENSIONS), getattr(self, _MID)),
        )
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        timer: asyncio.TimerHandle | None = None
        ticks = 0
        # Emptied at the end: it would keep alive whatever a closure or an exception refers to.
        steps: list[Callable[[], None]] = []
        failed: list[Exception] = []

        def wait() -> None:
            nonlocal timer
            timer = loop.call_later(max(0.0, voice.due_in_s(time.monotonic())), steps[0])

        def send() -> None:
            nonlocal ticks
            if over.done():
                return
            try:
                payload = voice.payload(time.monotonic())
                if self._enabled:
                    self._send_payload(writer, payload, ticks)
                ticks += voice.rtp_ticks
                wait()
            except Exception as error:  # raised again below
                failed.append(error)
                over.set_result(None)

        steps.append(send)
        wait()
        try:
            await over
        finally:
            assert timer is not None
            timer.cancel()
            steps.clear()
        raise failed.pop()

    def _send_payload(self, writer: PacketWriter, payload: bytes, ticks: int) -> None:
        packet = writer.write(payload, ticks)
        self._sent[writer.sequence_number % RTP_HISTORY_SIZE] = packet
        self.transport.send_now(packet)  # type: ignore[attr-defined]
        self._RTCRtpSender__ntp_timestamp = int((time.time() - _NTP_EPOCH_S) * (1 << 32))
        self._RTCRtpSender__rtp_timestamp = writer.timestamp
        self._RTCRtpSender__octet_count += len(payload)
        self._RTCRtpSender__packet_count += 1

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket):
            del packet.lost[RTP_HISTORY_SIZE:]
        try:
            await super()._handle_rtcp_packet(packet)
        except ConnectionError:
            raise
        except Exception:  # whatever one packet causes
            self.failures += 1
            if self.failures == 1:
                logger.warning("An RTCP packet about the voice is not valid.", exc_info=True)

    async def _retransmit(self, sequence_number: int) -> None:
        if not self._retransmissions.take(time.monotonic()):
            return
        sent = self._sent.get(sequence_number % RTP_HISTORY_SIZE)
        if sent is None:
            await super()._retransmit(sequence_number)
        elif int.from_bytes(sent[2:4]) == sequence_number:
            self.transport.send_now(sent)  # type: ignore[attr-defined]


def _extension_block(extensions: HeaderExtensionsMap, mid: str | None) -> bytes:
    """The header extensions of each packet: of aiortc's for audio, the voice needs only the mid."""
    profile, value = extensions.set(HeaderExtensions(mid=mid))
    return profile.to_bytes(2) + (len(value) // 4).to_bytes(2) + value if value else b""


def cancel_tasks(transceiver: RTCRtpTransceiver) -> list[asyncio.Future[Any]]:
    """Cancels the tasks that send a transceiver's media and reports; for a failed close.

    Returns:
        The tasks that were running.
    """
    tasks = [getattr(transceiver.receiver, RTCP_TASK, None)]
    tasks += [getattr(transceiver.sender, name, None) for name in _TASKS]
    running = [task for task in tasks if task is not None and not task.done()]
    for task in running:
        task.cancel()
    return running


def install() -> None:
    """Installs the replacement in aiortc's module."""
    peer_connection_module.RTCRtpSender = BoundedSender


def check() -> None:
    """Checks the parts of aiortc that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions(
        [
            (RTCRtpSender, "send", ["self", "parameters"]),
            (RTCRtpSender, "stop", ["self"]),
            (RTCRtpSender, "_next_encoded_frame", ["self", "codec"]),
            (RTCRtpSender, "_handle_rtcp_packet", ["self", "packet"]),
            (RTCRtpSender, "_retransmit", ["self", "sequence_number"]),
            (HeaderExtensionsMap, "set", ["self", "values"]),
        ]
    )
    attributes = {*_TASKS, _EXTENSIONS, _MID, "_enabled", "_ssrc"}
    attributes |= {name for name in BoundedSender.__annotations__ if "__" in name}
    check_attributes(RTCRtpSender, attributes)
