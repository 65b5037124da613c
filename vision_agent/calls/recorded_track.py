"""One track of a call on its way into the recording, still encoded."""

from __future__ import annotations

from vision_agent.recordings.call_recording import CallRecording
from vision_agent.recordings.media_writer import RecordedPacket
from vision_agent.rtc.frame_sampler import ASK_AGAIN_S
from vision_agent.rtc.frame_size import FrameSize, frame_size, shown_size

VIDEO_CLOCK_HZ = 90_000
OPUS_CLOCK_HZ, TELEPHONE_CLOCK_HZ = 48_000, 8_000

MOST_SELDOM_ASKED_S = 10.0
"""The longest interval between requests for a key frame to a sender that sends none: each request
costs its network bandwidth."""

KEY_EVERY_S = 30.0
"""A key frame is requested after this time without one, because players and cuts begin at one."""


class RecordedTrack:
    """Passes on what arrives on a track (`rtc.decoder_queues.PacketTap`).

    After a lost frame, nothing is passed on until the next key frame, which is requested: the
    frames in between would be decoded wrongly.

    Args:
        recording: The call's recording.
        title: The track's name in it.
        sender: See `RecordedPacket`.

    Attributes:
        on: Whether the caller has switched it on; media that come while it is off are left out.
    """

    def __init__(self, recording: CallRecording, title: str, sender: int, *, on: bool) -> None:
        self._recording = recording
        self._title = title
        self._sender = sender
        self.on = on
        self._in_sync = False
        self._asked_at_s: float | None = None
        self._ask_after_s = ASK_AGAIN_S
        self._codec = ""
        self._key_s = 0.0

    def sound(self, codec: str, data: bytes, ticks: int, now_s: float) -> None:
        """A packet of sound."""
        if self.on and data:
            clock_hz = OPUS_CLOCK_HZ if codec.lower() == "opus" else TELEPHONE_CLOCK_HZ
            at_s = self._recording.now_s(now_s)
            self._recording.media(
                RecordedPacket(self._title, self._sender, codec, clock_hz, ticks, at_s, data)
            )

    def video(
        self, codec: str, data: bytes, ticks: int, now_s: float, *, key: bool, after_loss: bool
    ) -> bool:
        """A frame of video; whether a key frame is to be requested."""
        if not self.on or self._recording.over:
            self._in_sync = False
            return False
        size = _playable_size(codec, data) if key else None
        follows = self._in_sync and codec == self._codec and not after_loss and not key
        self._codec = codec
        self._in_sync = follows or size is not None
        if self._in_sync:
            self._ask_after_s = ASK_AGAIN_S
            at_s = self._recording.now_s(now_s)
            packet = RecordedPacket(
                *(self._title, self._sender, codec, VIDEO_CLOCK_HZ, ticks, at_s, data),
                key=key,
                size=size,
            )
            self._in_sync = self._recording.media(packet)
            if key:
                self._key_s = now_s
            elif self._in_sync and now_s - self._key_s >= KEY_EVERY_S:
                self._key_s = now_s  # a sender that gives none is not asked more often either
                return True
        return not self._in_sync and self._ask(now_s)

    def _ask(self, now_s: float) -> bool:
        if self._asked_at_s is not None:
            if now_s - self._asked_at_s < self._ask_after_s:
                return False
            self._ask_after_s = min(2 * self._ask_after_s, MOST_SELDOM_ASKED_S)
        self._asked_at_s = now_s
        return True


def _playable_size(codec: str, data: bytes) -> FrameSize | None:
    """The size of a key frame; None if it states none, or one that players can't handle."""
    coded = frame_size(codec, data)
    return shown_size(codec, data) if coded is not None and coded.decodable else None
