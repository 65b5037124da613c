"""What the caller says and shows, on its way to the model."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from aiortc import MediaStreamTrack
from av import VideoFrame

from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.camera_off import camera_off_jpeg
from vision_agent.calls.camera_presence import CameraPresence
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.newest_frame import NewestFrame
from vision_agent.calls.options import FrameOptions
from vision_agent.calls.server_messages import FrameAtSpeechEndMessage, FrameMessage
from vision_agent.calls.typed_turns import OLDEST_FRAME_S, TypedTurns
from vision_agent.live.live_queue import LiveQueue
from vision_agent.rtc import (
    Camera,
    Frame,
    FrameSize,
    Microphone,
    Sampler,
    VoiceActivity,
)

logger = logging.getLogger(__name__)

SPEECH_STOP_MS = 300
"""Silence that counts as the end of the caller's speech; shorter than the model's endpointing."""

SPEECH_END_FRAME_S = 0.5
"""How long the age of the model's frame waits for a fresh one after the caller's speech."""

CAMERA_CHECK_S = 0.25
"""How often to check whether the camera's frames have stopped."""


class CallerInput:
    """The caller's microphone and camera, joined to the live queue.

    Args:
        live_queue: The call's live queue.
        view: The caller's client and the call's state.
        options: Which of the camera's frames reach the model.
        metrics: The server's counters.
        on_sound: Called for every 20 ms with their mean square, and whether it stands out of the
            room's noise.
        signals_turns: Whether the microphone's switch makes the caller's turns, instead of the
            model's own detection.
    """

    def __init__(
        self,
        live_queue: LiveQueue,
        view: CallerView,
        options: FrameOptions,
        metrics: Metrics,
        on_sound: Callable[[float, bool], None],
        *,
        signals_turns: bool = False,
    ) -> None:
        self._live_queue = live_queue
        self._view = view
        self._channel = view.channel
        self._options = options
        self._metrics = metrics
        self._on_sound = on_sound
        self._activity = VoiceActivity(stop_ms=SPEECH_STOP_MS)
        self._muted = False
        self._signals_turns = signals_turns
        self._in_turn = False
        self._sent_frame: Frame | None = None
        self._camera_since_s: float | None = None
        self._presence = CameraPresence()
        self.camera_on = False
        self._speech_ended_at: float | None = None
        self._frame_awaited: asyncio.TimerHandle | None = None
        self._typed = TypedTurns()
        self._off_untyped = False
        self._typed_timer: asyncio.TimerHandle | None = None
        self.frames = NewestFrame()
        self._tally = Tally()
        self._refusals_told: set[str] = set()
        self.sampler = Sampler(threshold=options.change, max_gap_s=options.max_gap_s)
        self.microphone = Microphone(self._on_audio, self._on_sound_over)
        self.camera = self._new_camera()

    @property
    def caller_speaks(self) -> bool:
        """Whether there is a voice on the microphone."""
        return self._activity.speaking

    @property
    def shown_at_s(self) -> float | None:
        """When the frame was captured that the model saw last, or a later one just like it.

        Monotonic seconds; None while the camera is off.
        """
        if self._sent_frame is None:
            return None
        return max(self._sent_frame.captured_at, self.sampler.alike_until_s or 0.0)

    def renew(self) -> None:
        """Make a microphone and a camera for a new peer connection."""
        self.microphone = Microphone(self._on_audio, self._on_sound_over, self.microphone)
        self.camera = self._new_camera()
        self._set_track(False)

    async def watch(self, track: MediaStreamTrack) -> None:
        """Watch a camera until its track ends."""
        camera = self.camera
        self._set_track(True)
        checking = asyncio.create_task(self._check_camera(), name="camera-check")
        try:
            await camera.run(track)
        finally:
            checking.cancel()
            await asyncio.wait([checking])
            if camera is self.camera:
                self._set_track(False)

    def switch_camera(self, on: bool) -> None:
        """Take the client's word that its camera is on or off."""
        self._presence.enabled(on)
        self._await_camera()

    def mute(self, muted: bool) -> None:
        """Stop or resume listening; the silence of a muted microphone is not sent."""
        if muted and not self._muted:
            self._end_sound()
        self._muted = muted

    def typed(self, text: str) -> None:
        """Take a typed text, or a tool's notice; it is a turn like a spoken one."""
        self.camera.look_now()
        shown = self._sent_frame
        now_s = time.monotonic()
        self._typed.add(
            text,
            now_s,
            frame_at_s=None if shown is None else shown.captured_at,
            camera_since_s=self._camera_since_s,
        )
        self._send_typed(now_s)
        if self._typed.due_s is not None and self._typed_timer is None:
            loop = asyncio.get_running_loop()
            self._typed_timer = loop.call_later(self._typed.due_s - now_s, self._send_typed)
        self._view.set_state("thinking")

    @property
    def takes_text(self) -> bool:
        """Whether one more text may be queued for the model (`typed_turns.MAX_WAITING`)."""
        return self._typed.has_room(self._live_queue.texts_waiting)

    def close(self) -> None:
        """Cancel the timers."""
        self._stop_awaiting()
        if self._typed_timer is not None:
            self._typed_timer.cancel()

    def _on_sound_over(self) -> None:
        """No packets have come for a while: treat the microphone like a muted one."""
        if not self._muted:
            self._end_sound()

    def _end_sound(self) -> None:
        if not self._signals_turns:
            self._live_queue.send_audio_stream_end()
        elif self._in_turn:
            self._in_turn = False
            self._live_queue.send_activity_end()
        if self._activity.cut_off():
            self._speech_ended(time.monotonic())

    def _on_audio(self, chunk: bytes) -> None:
        if self._muted:
            return
        if self._signals_turns and not self._in_turn:
            self._in_turn = True
            self._live_queue.send_activity_start()
        self._live_queue.audio(chunk)
        change = self._activity.feed(chunk)
        self._on_sound(self._activity.level, self._activity.loud)
        match change:
            case "started":
                self._channel.user_speaking(True)
                self.camera.look_now()
            case "stopped":
                self._speech_ended(time.monotonic() - SPEECH_STOP_MS / 1000)

    def _speech_ended(self, at_s: float) -> None:
        self._channel.user_speaking(False)
        self._speech_ended_at = at_s
        self.camera.look_now()
        self._stop_awaiting()
        self._frame_awaited = asyncio.get_running_loop().call_later(
            SPEECH_END_FRAME_S, self._tell_frame_age
        )
        if self._view.state == "listening":
            self._view.set_state("thinking")

    def _on_frame(self, frame: Frame) -> None:
        if not self.camera_on:
            return  # captured before the camera went off
        self._live_queue.frame(frame.jpeg)
        self._sent_frame = frame
        self._off_untyped = False
        self._send_typed()
        age_ms = round(1000 * (time.monotonic() - frame.captured_at))
        self._view.show(FrameMessage(len(frame.jpeg), frame.width, frame.height, age_ms))
        if self._speech_ended_at is not None and frame.captured_at >= self._speech_ended_at:
            self._tell_frame_age()

    def _set_track(self, there: bool) -> None:
        self._presence.track(there)
        self._await_camera()

    def _await_camera(self) -> None:
        self._camera_since_s = time.monotonic() if self._presence.awaited else None
        self._note_camera()

    async def _check_camera(self) -> None:
        while True:
            due_s = time.monotonic() + CAMERA_CHECK_S
            await asyncio.sleep(CAMERA_CHECK_S)
            now_s = time.monotonic()
            # After a stall of this process, frames have arrived that were not read yet.
            if now_s < due_s + CAMERA_CHECK_S:
                self._presence.check(now_s)
                self._note_camera()

    def _note_camera(self) -> None:
        """Act on a camera that has come on or gone off."""
        if self.camera_on == self._presence.on:
            return
        self.camera_on = self._presence.on
        self.sampler.forget()
        if self.camera_on:
            self._camera_since_s = self._camera_since_s or time.monotonic()
            self.camera.look_now()
            return
        self._camera_since_s = None
        self.frames.forget()
        if self._sent_frame is not None:
            self._sent_frame = None
            self._off_untyped = True
            self._live_queue.frame(camera_off_jpeg(), of_camera=False)

    def _on_arrival(self) -> None:
        self._presence.arrived(time.monotonic())
        self._note_camera()

    def _on_decoded(self, frame: VideoFrame, captured_at_s: float) -> None:
        if self.camera_on:
            self.frames.take(frame, captured_at_s)

    def _new_camera(self) -> Camera:
        return Camera(
            self._on_frame,
            rate_hz=self._options.rate_hz,
            max_px=self._options.max_px,
            max_bytes=self._options.max_bytes,
            sampler=self.sampler,
            on_decoded=self._on_decoded,
            on_arrival=self._on_arrival,
            on_refused=self._on_refused,
        )

    def _on_refused(self, size: FrameSize) -> None:
        self._metrics.frames_refused.inc()
        words = size.refusal()
        kind = words.partition("(")[0]
        if kind not in self._refusals_told:
            self._refusals_told.add(kind)
            logger.info("A camera's frames are not decoded: %s", words)
            self._channel.error(words, fatal=False)

    def _send_typed(self, now_s: float | None = None) -> None:
        """Send the typed texts that wait no longer: all of them without a time (`TypedTurns`)."""
        if texts := self._typed.take(now_s):
            frame = self._fresh_frame()
            for text in texts:
                self._live_queue.text(text, frame)
        if self._typed.due_s is None and self._typed_timer is not None:
            self._typed_timer.cancel()
            self._typed_timer = None

    def _fresh_frame(self) -> bytes | None:
        """The frame that typed words are about, as JPEG."""
        if self._sent_frame is None and self._off_untyped:
            # Typed words saw the camera, and do not see in the stream that it is off.
            self._off_untyped = False
            return camera_off_jpeg()
        shown_at_s = self.shown_at_s
        if shown_at_s is None or time.monotonic() - shown_at_s > OLDEST_FRAME_S:
            return None
        return self._sent_frame.jpeg if self._sent_frame else None

    def _tell_frame_age(self) -> None:
        """Show how much older than the end of the caller's speech the model's newest frame is.

        Zero if the frame was captured after the speech had ended.
        """
        self._stop_awaiting()
        ended_at, self._speech_ended_at = self._speech_ended_at, None
        if ended_at is None or self._sent_frame is None:
            return
        age_ms = max(0, round(1000 * (ended_at - self._sent_frame.captured_at)))
        self._view.show(FrameAtSpeechEndMessage(age_ms))

    def _stop_awaiting(self) -> None:
        if self._frame_awaited is not None:
            self._frame_awaited.cancel()
            self._frame_awaited = None

    def count(self) -> None:
        """Add what happened since the last time to the server's counters."""
        c = self._live_queue.counters
        m = self._metrics
        for counter, total in (
            (m.frames, c.frames),
            (m.frames_replaced, c.frames_replaced),
            (m.frames_skipped, self.sampler.skipped),
            (m.tokens_saved, self.sampler.tokens_saved),
            (m.close_looks, c.close_looks),
            (m.texts, c.texts),
            (m.tool_results, c.tool_results),
            (m.audio_ms, c.audio_ms),
            (m.audio_dropped_ms, c.audio_dropped_ms),
        ):
            self._tally.add(counter, total)
