"""What the caller says and shows, on its way to the model."""

from __future__ import annotations

import asyncio
import time

from vision_agent.call_status import CallStatus
from vision_agent.live.intake import Intake
from vision_agent.metrics import Metrics
from vision_agent.rtc import Camera, Channel, Frame, Microphone, VoiceActivity
from vision_agent.settings import Settings

SPEECH_STOP_MS = 300
"""Quiet that counts as the end of the caller's speech; shorter than the model's own endpointing."""

SPEECH_END_PICTURE_S = 0.5
"""How long after the caller's speech a fresh picture is waited for before its age is told."""


class CallerMedia:
    """The caller's microphone and camera, joined to the live queue.

    Args:
        intake: The call's live queue.
        channel: Shows the caller what is sent.
        status: Where the call is.
        settings: How many pictures, and how large.
        metrics: The server's counters.
    """

    def __init__(
        self,
        intake: Intake,
        channel: Channel,
        status: CallStatus,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._intake = intake
        self._channel = channel
        self._status = status
        self._settings = settings
        self._metrics = metrics
        self._activity = VoiceActivity(stop_ms=SPEECH_STOP_MS)
        self._muted = False
        self._newest_frame: Frame | None = None
        self._speech_ended_at: float | None = None
        self._picture_awaited: asyncio.TimerHandle | None = None
        self._counted = (0, 0, 0, 0)
        self.renew()

    def renew(self) -> None:
        """A microphone and a camera for a new peer connection: they end with their tracks."""
        self.microphone = Microphone(self._on_audio)
        self.camera = Camera(
            self._on_frame,
            rate_hz=self._settings.frame_rate_hz,
            max_px=self._settings.frame_max_px,
            max_bytes=self._settings.frame_max_bytes,
        )

    def mute(self, muted: bool) -> None:
        """The caller muted or unmuted; a muted microphone's silence is not worth sending."""
        if muted and not self._muted:
            self._intake.send_audio_stream_end()
        self._muted = muted

    def typed(self, text: str) -> None:
        """The caller typed: it is a turn like a spoken one."""
        self._intake.text(text)
        self.camera.look_now()
        self._status.set("thinking")

    def close(self) -> None:
        """Ends the timer and counts what has been sent since the last picture."""
        self._stop_awaiting()
        self._count()

    def _on_audio(self, chunk: bytes) -> None:
        if self._muted:
            return
        self._intake.audio(chunk)
        match self._activity.feed(chunk):
            case "started":
                self._channel.user_speaking(True)
                self.camera.look_now()
            case "stopped":
                self._channel.user_speaking(False)
                self._on_speech_end()

    def _on_speech_end(self) -> None:
        self._speech_ended_at = time.monotonic() - SPEECH_STOP_MS / 1000
        self.camera.look_now()
        self._stop_awaiting()
        self._picture_awaited = asyncio.get_running_loop().call_later(
            SPEECH_END_PICTURE_S, self._tell_picture_age
        )
        if self._status.state == "listening":
            self._status.set("thinking")

    def _on_frame(self, frame: Frame) -> None:
        self._intake.picture(frame.jpeg)
        self._newest_frame = frame
        self._channel.server_message(
            {
                "kind": "frame",
                "bytes": len(frame.jpeg),
                "width": frame.width,
                "height": frame.height,
                "age_ms": round(1000 * (time.monotonic() - frame.captured_at)),
            }
        )
        self._count()
        if self._speech_ended_at is not None and frame.captured_at >= self._speech_ended_at:
            self._tell_picture_age()

    def _tell_picture_age(self) -> None:
        """How much older than the end of the caller's speech the model's newest picture is.

        Zero if the picture was taken after the speech had ended.
        """
        self._stop_awaiting()
        ended_at, self._speech_ended_at = self._speech_ended_at, None
        if ended_at is None or self._newest_frame is None:
            return
        age_ms = max(0, round(1000 * (ended_at - self._newest_frame.captured_at)))
        self._channel.server_message({"kind": "frame_at_speech_end", "age_ms": age_ms})

    def _stop_awaiting(self) -> None:
        if self._picture_awaited is not None:
            self._picture_awaited.cancel()
            self._picture_awaited = None

    def _count(self) -> None:
        c = self._intake.counters
        now = (c.pictures, c.pictures_replaced, c.audio_ms, c.audio_dropped_ms)
        counters = (
            self._metrics.pictures,
            self._metrics.pictures_replaced,
            self._metrics.audio_ms,
            self._metrics.audio_dropped_ms,
        )
        for counter, new, old in zip(counters, now, self._counted, strict=True):
            counter.inc(new - old)
        self._counted = now
