"""The caller's peer connection: microphone, camera, data channel, and the agent's voice."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from vision_agent.caller.aiortc_patches import (
    decode_in_place,
    encode_in_place,
    gather_loopback,
    hold_back_little,
    keep_consent,
    watch_arrivals,
    watch_path,
)
from vision_agent.caller.failure import CallFailed, as_call_failed, sentence
from vision_agent.caller.recording import Samples
from vision_agent.caller.rtvi import Track, client_ready, send_text, track_status
from vision_agent.caller.typed_lines import TypedLine
from vision_agent.version import __version__

logger = logging.getLogger(__name__)

_CLOSE_S = 5.0
# The jitter buffer holds a few packets. Older arrival times belong to packets that were lost.
_ARRIVALS_KEPT = 500


OnMessage = Callable[[str | bytes, int], None]
"""Receives a message of the data channel and its arrival time in ms of the call."""

OnAudio = Callable[[Samples, int], None]
"""Receives a decoded frame, mono s16 at `SOUND_RATE_HZ`, and its packet's arrival time in ms."""


class CallerPeer:
    """A peer connection laid out like an RTVI client's: microphone, camera, data channel "chat".

    Whatever aiortc raises is passed on as `CallFailed`.

    Args:
        microphone: What the caller says.
        camera: What the caller shows; None for a call without video.
        on_message: Receives the channel's messages.
        on_audio: Receives the agent's voice.
        now_ms: The call's clock; both callbacks get its times.
        ice_servers: STUN and TURN servers to gather candidates from.
        is_played: Somebody listens: the voice is passed on as soon as it can be decoded.
        on_open: Called when messages can be sent.
        screen: A screen that the caller shares, beside the camera; None for none.

    Attributes:
        connected_ms: When ICE and DTLS were done and media could flow; None before that.
        lost: Why the connection is gone; None while it stands.
        cut_off: Whether the path to the server is gone, such as a TCP connection to a relay.
    """

    def __init__(
        self,
        microphone: MediaStreamTrack,
        camera: MediaStreamTrack | None,
        on_message: OnMessage,
        on_audio: OnAudio,
        now_ms: Callable[[], int],
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        is_played: bool = False,
        on_open: Callable[[], None] = lambda: None,
        screen: MediaStreamTrack | None = None,
    ) -> None:
        self.connected_ms: int | None = None
        self.lost: str | None = None
        self.cut_off = False
        self._tell_open = on_open
        self._on_audio, self._now_ms = on_audio, now_ms
        self._is_played = is_played
        self._is_receiving = False
        self._arrivals: dict[int, int] = {}
        self._first_stamp: int | None = None
        self._peer = RTCPeerConnection(
            RTCConfiguration(list(ice_servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._peer.on("track", self._on_track)
        self._peer.on("connectionstatechange", self._on_state)
        # RTVI clients keep this order: the agent's voice returns on the microphone's transceiver.
        encode_in_place(self._peer.addTransceiver(microphone, direction="sendrecv").sender)
        # A server takes the second video section for a screen, so the screen's follows the
        # camera's.
        videos = [camera] if screen is None else [camera or "video", screen]
        for video in videos:
            if video is not None:
                direction = "inactive" if video == "video" else "sendonly"
                transceiver = self._peer.addTransceiver(video, direction=direction)
                transceiver.setCodecPreferences(_vp8())
        self._channel = self._peer.createDataChannel("chat", ordered=True)
        self._channel.on("open", self._on_open)
        self._channel.on("message", lambda message: on_message(message, now_ms()))
        self._channel.on("close", lambda: self._lose("the server closed the channel"))

    async def offer(self) -> str:
        """Gather candidates and return the SDP to post.

        Raises:
            CallFailed: No offer could be made.
        """
        with as_call_failed("No offer could be made"):
            gather_loopback(self._peer)
            keep_consent(self._peer)
            await self._peer.setLocalDescription(await self._peer.createOffer())
            watch_path(self._peer, self._on_cut_off)
            return str(self._peer.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Apply the server's answer; the connection is then made in the background.

        Raises:
            CallFailed: The answer can't be parsed or doesn't fit the offer.
        """
        with as_call_failed("The server's answer can't be used"):
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def type(self, line: TypedLine) -> None:
        """Send a typed line.

        Raises:
            CallFailed: The connection is gone or not made yet, or the message is larger than the
                server accepts.
        """
        self.send(send_text(line.message_id, line.text))

    def send(self, message: str) -> None:
        """Send a message of the data channel, as its JSON; every message passes here.

        Raises:
            CallFailed: The connection is gone or not made yet, or the message is larger than the
                server accepts.
        """
        if self._channel.readyState != "open":
            # A failed connection also leaves its channel "closing" or "closed".
            raise CallFailed(sentence(self.lost or "the connection to the server is not open"))
        with as_call_failed("The message can't be sent"):
            self._channel.send(message)

    def tell_switched(self, what: Track, on: bool) -> None:
        """Tell the server that one of the tracks was switched on or off.

        Does nothing once the connection is gone; `lost` says so.
        """
        if self._channel.readyState == "open":
            self._send_if_it_can(track_status(what, enabled=on))

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._channel.readyState == "open"

    async def packets(self) -> int:
        """How many packets have come from the server."""
        statistics = await self._peer.getStats()
        transports = (each for each in statistics.values() if each.type == "transport")
        return sum(each.packetsReceived for each in transports)

    def detach(self) -> None:
        """Leave the tracks to the connection that takes this one's place; nothing is reported."""
        self._peer.remove_all_listeners()
        self._channel.remove_all_listeners()
        for sender in self._peer.getSenders():
            sender.replaceTrack(None)

    async def close(self) -> None:
        """Release everything except the tracks, within `_CLOSE_S`."""
        self._peer.remove_all_listeners()
        try:
            await asyncio.wait_for(self._peer.close(), _CLOSE_S)
        except TimeoutError:
            # aiortc's close can wait forever on a transport that is only half set up.
            logger.warning("the caller's peer connection didn't close within %s s", _CLOSE_S)
        except Exception:
            # The call is over and its result stands.
            logger.warning("the caller's peer connection didn't close cleanly", exc_info=True)

    def _on_open(self) -> None:
        self._send_if_it_can(client_ready(uuid.uuid4().hex, __version__))
        self._tell_open()

    def _send_if_it_can(self, message: str) -> None:
        """Send a message that nobody waits for; a failure ends the call, and `lost` says why."""
        try:
            self.send(message)
        except CallFailed as error:
            self._lose(str(error))

    def _on_state(self) -> None:
        state = self._peer.connectionState
        if state == "connected" and self.connected_ms is None:
            self.connected_ms = self._now_ms()
        elif state in ("failed", "closed"):
            self._lose(f"the connection is {state}")

    def _on_cut_off(self) -> None:
        self.cut_off = True

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and not self._is_receiving:
            self._is_receiving = True
            receiver = next(r for r in self._peer.getReceivers() if r.track is track)
            watch_arrivals(receiver, self._note_arrival)
            if self._is_played:
                hold_back_little(receiver)
            decode_in_place(receiver, self._receive)

    def _note_arrival(self, rtp_timestamp: int) -> None:
        # aiortc counts from the time stamp of the first packet.
        if self._first_stamp is None:
            self._first_stamp = rtp_timestamp
        if len(self._arrivals) >= _ARRIVALS_KEPT:
            self._arrivals.pop(next(iter(self._arrivals)))
        self._arrivals[(rtp_timestamp - self._first_stamp) & 0xFFFFFFFF] = self._now_ms()

    def _receive(self, samples: Samples, stamp: int) -> None:
        """Pass on the sound of one of the agent's packets."""
        arrived_ms = self._arrivals.pop(stamp & 0xFFFFFFFF, None)
        self._on_audio(samples, self._now_ms() if arrived_ms is None else arrived_ms)

    def _lose(self, why: str) -> None:
        self.lost = self.lost or why


def _vp8() -> list[RTCRtpCodecCapability]:
    """VP8 and its retransmissions, which every WebRTC peer must support (RFC 7742)."""
    video = RTCRtpReceiver.getCapabilities("video")
    codecs = video.codecs if video is not None else []
    return [codec for codec in codecs if codec.mimeType in ("video/VP8", "video/rtx")]
