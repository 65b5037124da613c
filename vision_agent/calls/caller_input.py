"""Passes what the caller says and shows to the model."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

from vision_agent.calls.call_lines import CallLines
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.notices import MARK as NOTICE_MARK
from vision_agent.calls.options import VideoOptions
from vision_agent.calls.quiet_sound import QuietSound
from vision_agent.calls.server_messages import FrameAtSpeechEndMessage, FrameMessage
from vision_agent.calls.typed_turns import OLDEST_FRAME_S, TypedTurns
from vision_agent.calls.watched_video import VideoSource, WatchedVideo
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.notice_frames import off_jpeg
from vision_agent.live.shown import Shown
from vision_agent.rtc import Frame, FrameSize, Microphone, VoiceActivity

logger = logging.getLogger(__name__)

SPEECH_START_MS = 60
"""Sound that counts as the beginning of the caller's speech."""

SPEECH_STOP_MS = 300
"""Silence that counts as the end of the caller's speech; shorter than the model's endpointing."""

SPEECH_END_FRAME_S = 0.5
"""How long the age of the model's frame waits for a fresh one after the caller's speech."""

MAX_PICTURES = 4
"""How many pictures that the caller has sent one question is about, at most: the newest ones."""

OLDEST_SCREEN_S = 40.0
"""Typed words go without a screen rather than with an older frame of it."""


class CallerInput:
    """The caller's microphone, camera and screen, joined to the live queue.

    Args:
        live_queue: The call's live queue.
        view: The caller's client and the call's state.
        options: Which of the camera's and the screen's frames reach the model.
        metrics: The server's counters.
        trace: What happens when.
        on_sound: Called for every 20 ms with their mean square, and whether it stands out of the
            room's noise.
        signals_turns: Whether the microphone's switch makes the caller's turns, instead of the
            model's own detection.
        lines: What happens in the call, for its recording.

    Attributes:
        camera: The caller's camera.
        screen: The caller's shared screen.
    """

    def __init__(
        self,
        live_queue: LiveQueue,
        view: CallerView,
        options: VideoOptions,
        metrics: Metrics,
        trace: CallTrace,
        on_sound: Callable[[float, bool], None],
        *,
        signals_turns: bool = False,
        lines: CallLines | None = None,
    ) -> None:
        self._live_queue = live_queue
        self._lines = lines or CallLines()
        self._view = view
        self._channel = view.channel
        self._metrics, self._trace = metrics, trace
        self._on_sound = on_sound
        self._activity = VoiceActivity(start_ms=SPEECH_START_MS, stop_ms=SPEECH_STOP_MS)
        self._quiet = QuietSound()
        self._muted = False
        self._signals_turns = signals_turns
        self._in_turn = False
        self._speech_ended_at: float | None = None
        self._frame_awaited: asyncio.TimerHandle | None = None
        self._typed = TypedTurns()
        self._off_untyped: set[VideoSource] = set()
        self._pictures: list[Shown] = []
        self._typed_timer: asyncio.TimerHandle | None = None
        self._tally = Tally()
        self._refusals_told: set[str] = set()
        self.microphone = Microphone(self._on_audio, self._on_sound_over)
        self.camera = WatchedVideo(
            "camera",
            options.camera,
            on_frame=self._on_frame,
            on_off=partial(self._on_off, "camera"),
            on_refused=partial(self._on_refused, "camera"),
        )
        self.screen = WatchedVideo(
            "screen",
            options.screen,
            on_frame=self._on_screen_frame,
            on_off=partial(self._on_off, "screen"),
            on_refused=partial(self._on_refused, "screen"),
        )

    @property
    def caller_speaks(self) -> bool:
        """Whether there is a voice on the microphone."""
        return self._activity.speaking

    def renew(self) -> None:
        """Make what reads the media of a new peer connection."""
        self.microphone = Microphone(self._on_audio, self._on_sound_over, self.microphone)
        self.camera.renew()
        self.screen.renew()

    def force_frame(self) -> None:
        """Send fresh frames of what the caller shows."""
        self.camera.force_frame()
        if self.screen.on:
            self.screen.force_frame()

    def mute(self, muted: bool) -> None:
        """Stop or resume listening; the silence of a muted microphone is not sent."""
        if muted and not self._muted:
            self._end_sound()
        self._muted = muted

    def typed(self, text: str) -> None:
        """Take a typed text, or a tool's notice; it is a turn like a spoken one."""
        self.force_frame()
        shown = self.camera.sent
        now_s = time.monotonic()
        if not text.startswith(NOTICE_MARK):
            self._trace.asked("typed", now_s)
        self._typed.add(
            text,
            now_s,
            frame_at_s=None if shown is None else shown.captured_at,
            camera_since_s=self.camera.since_s,
        )
        self._send_typed(now_s)
        if self._typed.due_s is not None and self._typed_timer is None:
            loop = asyncio.get_running_loop()
            self._typed_timer = loop.call_later(self._typed.due_s - now_s, self._send_typed)
        self._view.set_state("thinking")

    def show_picture(self, picture: Shown) -> Shown | None:
        """Take a picture that the next question is about, spoken or typed.

        Returns:
            The oldest of the question's pictures, if there is no room for it any more.
        """
        self._pictures.append(picture)
        self._lines.frame("picture", picture.jpeg)
        left_out = self._pictures.pop(0) if len(self._pictures) > MAX_PICTURES else None
        if self._activity.speaking:
            self._stream_pictures()
        return left_out

    def question_transcribed(self) -> None:
        """A spoken question has been transcribed: the pictures were shown for it."""
        if self._pictures:
            self._pictures = []
            self._live_queue.forget_pictures()

    def _stream_pictures(self) -> None:
        """Show the model the pictures as part of what is being said.

        With some models, frames outside of speech are part of no question.
        """
        if self._pictures:
            self._live_queue.pictures([picture.jpeg for picture in self._pictures])

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
        if rest := self._quiet.rest():
            self._live_queue.audio(rest)
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
        change = self._activity.feed(chunk)
        if sound := self._quiet.add(chunk, self._activity.speaking or self._activity.loud):
            self._live_queue.audio(sound)
        self._on_sound(self._activity.level, self._activity.loud)
        match change:
            case "started":
                self._channel.user_speaking(True)
                self._trace.voice_began(time.monotonic() - SPEECH_START_MS / 1000)
                self.force_frame()
                self._stream_pictures()
            case "stopped":
                self._speech_ended(time.monotonic() - SPEECH_STOP_MS / 1000)

    def _speech_ended(self, at_s: float) -> None:
        self._channel.user_speaking(False)
        self._trace.asked("spoken", at_s)
        self._speech_ended_at = at_s
        self.force_frame()
        self._stream_pictures()
        self._stop_awaiting()
        self._frame_awaited = asyncio.get_running_loop().call_later(
            SPEECH_END_FRAME_S, self._tell_frame_age
        )
        if self._view.state == "listening":
            self._view.set_state("thinking")

    def _on_frame(self, frame: Frame) -> None:
        self._live_queue.frame(frame.jpeg)
        self._off_untyped.discard("camera")
        self._send_typed()
        self._show_frame(frame, "camera")
        if self._speech_ended_at is not None and frame.captured_at >= self._speech_ended_at:
            self._tell_frame_age()

    def _on_screen_frame(self, frame: Frame) -> None:
        self._live_queue.frame(frame.jpeg, "screen")
        self._off_untyped.discard("screen")
        self._show_frame(frame, "screen")

    def _show_frame(self, frame: Frame, source: VideoSource) -> None:
        age_ms = round(1000 * (time.monotonic() - frame.captured_at))
        size = len(frame.jpeg), frame.width, frame.height
        self._view.show(FrameMessage(*size, age_ms, source))
        self._lines.frame(source, frame.jpeg, (frame.width, frame.height))

    def _on_off(self, source: VideoSource) -> None:
        self._off_untyped.add(source)
        self._live_queue.source_off(source)

    def _on_refused(self, source: VideoSource, size: FrameSize) -> None:
        self._metrics.frames_refused.inc()
        words = size.refusal(source)
        kind = words.partition("(")[0]
        if kind not in self._refusals_told:
            self._refusals_told.add(kind)
            logger.info("Frames of a %s are not decoded: %s", source, words)
            self._channel.error(words, fatal=False)

    def _send_typed(self, now_s: float | None = None) -> None:
        """Send the typed texts that wait no longer: all of them without a time (`TypedTurns`)."""
        if texts := self._typed.take(now_s):
            shown = self._shown()
            for text in texts:
                if text.startswith(NOTICE_MARK):  # no question: the pictures wait for one
                    self._live_queue.text(text, shown)
                else:
                    if self.camera.sent is not None:
                        self._trace.frame_seen(self.camera.sent.captured_at)
                    self._live_queue.text(text, [*self._pictures, *shown])
                    self.question_transcribed()
        if self._typed.due_s is None and self._typed_timer is not None:
            self._typed_timer.cancel()
            self._typed_timer = None

    def _shown(self) -> list[Shown]:
        """What typed words are about: the screen, then the camera."""
        screen, camera = self.screen.fresh(OLDEST_SCREEN_S), self.camera.fresh(OLDEST_FRAME_S)
        shown = [] if screen is None else [Shown(screen.jpeg, "screen")]
        if camera is not None:
            shown.append(Shown(camera.jpeg))
        # Typed words saw what is off now, and do not see in the stream that it is.
        off = [Shown(off_jpeg(source)) for source in sorted(self._off_untyped)]
        self._off_untyped.clear()
        return [*off, *shown]

    def _tell_frame_age(self) -> None:
        """Show how much older than the end of the caller's speech the model's newest frame is.

        Zero if the frame was captured after the speech had ended.
        """
        self._stop_awaiting()
        ended_at, self._speech_ended_at = self._speech_ended_at, None
        if ended_at is None or self.camera.sent is None:
            return
        self._trace.frame_seen(self.camera.sent.captured_at)
        age_ms = max(0, round(1000 * (ended_at - self.camera.sent.captured_at)))
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
            (m.frames_skipped, self.camera.changes.skipped + self.screen.changes.skipped),
            (m.tokens_saved, self.camera.changes.tokens_saved + self.screen.changes.tokens_saved),
            (m.close_looks, c.close_looks),
            (m.texts, c.texts),
            (m.tool_results, c.tool_results),
            (m.audio_ms, c.audio_ms),
            (m.audio_dropped_ms, c.audio_dropped_ms),
        ):
            self._tally.add(counter, total)
