"""A recording as a camera and a microphone: two paced tracks for a peer connection."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from vision_agent.caller.recording import (
    SOUND_RATE_HZ,
    BadRecording,
    Recording,
    Samples,
    TimedFrame,
    sound_frame,
)
from vision_agent.caller.utterances import Span
from vision_agent.caller.video_clock import VideoClock

_FRAME_SAMPLES = SOUND_RATE_HZ // 50  # 20 ms, WebRTC's usual packet
SILENCE_PACKET_MS = 20
"""How much of a long silence is one packet, up to the 120 ms of Opus. A browser sends 20."""

# After so much silence the turn is over, whatever the model waits for: its packets may be longer.
_TURN_IS_OVER_S = 1.0
# Held frames are repeated at this rate: high enough for a receiver that waits for the next frame,
# low enough to cost nothing.
_HELD_FPS = 10.0
# After a longer stall the schedule is moved instead of sending a burst: no camera catches up.
_STALL_S = 0.1


class CameraTrack(MediaStreamTrack):
    """A recording's frames at the times they were recorded.

    Until `play` the first frame is held, so that sound and video start together and every replay of
    a recording shows the same thing at the same moment of the call. A still image is held for the
    whole call, and so is the last frame once the file can't be read any further.

    Attributes:
        frames_sent: How many frames have been sent, held ones included.
        failure: Why the file can't be read any further; None while it can.
    """

    kind = "video"

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.frames_sent = 0
        self.failure: str | None = None
        self._source = recording.frames()
        self._still = recording.still
        # PyAV containers belong to one thread at a time; the default executor encodes meanwhile.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._shown: av.VideoFrame | None = None
        self._following: TimedFrame | None = None
        self._playing_since: float | None = None
        self._clock: VideoClock | None = None
        self._due_at = 0.0
        self._jump_to_s: float | None = None
        self._until_s = math.inf
        self._again = False
        self._sleep: asyncio.Future[None] | None = None

    async def ready(self) -> None:
        """Read the first frame; a cut may begin long after the key frame before it."""
        if self._shown is None and self.failure is None:
            first = await self._next_frame()
            self._shown = None if first is None else first.frame

    def play(self) -> None:
        """Start the recording from its first frame."""
        if self._playing_since is None:
            self._playing_since = time.monotonic()

    def play_part(self, from_s: float, until_s: float) -> None:
        """Skip to a time of the recording, and play on from there.

        Args:
            from_s: The time, in seconds of the recording.
            until_s: When to hold the visible frame, until this is called again.
        """
        self.play()
        self._jump_to_s, self._until_s = from_s, until_s
        self._wake()

    def show_again(self) -> None:
        """Send the visible frame again without waiting for the next one."""
        self._again = True
        self._wake()

    @property
    def is_ahead(self) -> bool:
        """Whether the frame at the last `from_s` has not been read yet."""
        return self._jump_to_s is not None and self.failure is None and not self._still

    async def recv(self) -> av.VideoFrame:
        """Return the next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._clock is None:
            self._clock, self._due_at = VideoClock(), now
        if self._shown is None:
            await self.ready()
            if self._shown is None:
                self.stop()
                raise MediaStreamError
        elif self._playing_since is None or self._still or self.failure is not None:
            self._due_at = max(self._due_at + 1 / _HELD_FPS, now)
            await asyncio.sleep(self._due_at - now)
        else:
            await self._advance()
        self.frames_sent += 1
        return self._clock.stamp(self._shown)

    async def _advance(self) -> None:
        """Wait until the next frame is due or the visible one has to be repeated."""
        while (following := self._following or await self._next_frame()) is not None:
            self._following = following
            now = time.monotonic()
            if self._jump_to_s is not None:
                if following.at_s <= self._jump_to_s:
                    self._shown, self._following = following.frame, None
                    continue
                self._playing_since, self._jump_to_s = now - self._jump_to_s, None
                return
            if self._again:
                self._again = False
                return
            if following.at_s > self._until_s:
                await self._wait(1 / _HELD_FPS)
                return
            due_at = (self._playing_since or now) + following.at_s
            if now > due_at + _STALL_S:
                self._playing_since = due_at = now - following.at_s
            if due_at > now:
                await self._wait(due_at - now)
            if self._jump_to_s is None and not self._again:
                self._shown, self._following = following.frame, None
                return

    async def _wait(self, seconds: float) -> None:
        """Wait this long, or until another part is to be played."""
        loop = asyncio.get_running_loop()
        self._sleep = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._sleep
        finally:
            timer.cancel()

    def _wake(self) -> None:
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def _next_frame(self) -> TimedFrame | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._reader, next, self._source
            )
        except (BadRecording, av.error.FFmpegError) as error:
            self.failure = str(error)
            return None

    def stop(self) -> None:
        """End the track and release the file."""
        if self.readyState == "live":
            self._reader.submit(self._source.close)  # type: ignore[attr-defined]
            self._reader.shutdown(wait=False)
        super().stop()


class MicrophoneTrack(MediaStreamTrack):
    """Silence, except for the sound given to `speak`.

    The track notes when the first and the last voiced sample of each utterance was sent: the moment
    its 20 ms frame was handed to the encoder.

    Attributes:
        started_at: `time.monotonic()` of the start of each utterance of the sound so far; a new
            list for each sound.
        ended_at: `time.monotonic()` of the end of each of them so far.
        is_on: Whether anything but silence is sent.
    """

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.started_at: list[float] = []
        self.ended_at: list[float] = []
        self.is_on = True
        self._sound: Samples = np.zeros(0, np.int16)
        self._spans: Sequence[Span] = ()
        self._position = 0
        # Whoever encodes a frame is done with it when the next one is due.
        self._silence = sound_frame(np.zeros(_FRAME_SAMPLES, np.int16), 0)
        samples = SILENCE_PACKET_MS * SOUND_RATE_HZ // 1000
        self._long_silence = sound_frame(np.zeros(samples, np.int16), 0)
        self._has_sounded_at = -math.inf
        self._frames = 0
        self._due_at: float | None = None

    def speak(self, sound: Samples, spans: Sequence[Span] = ()) -> None:
        """Send `sound` from now on, in place of the rest of an earlier one.

        Args:
            sound: Mono s16 at `SOUND_RATE_HZ`.
            spans: Its utterances, in ms from its first sample.
        """
        self._sound, self._spans, self._position = sound, spans, 0
        self.started_at, self.ended_at = [], []

    @property
    def spoken_ms(self) -> int:
        """How much of the sound has been sent."""
        return min(self._position, len(self._sound)) * 1000 // SOUND_RATE_HZ

    async def recv(self) -> av.AudioFrame:
        """Return the next frame, when it is due: 20 ms, or `SILENCE_PACKET_MS` of silence."""
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._due_at is None or now > self._due_at + _STALL_S:
            self._due_at = now
        await asyncio.sleep(max(0.0, self._due_at - now))
        frame, pts = self._silence, self._frames * _FRAME_SAMPLES
        piece = self._sound[self._position : self._position + _FRAME_SAMPLES]
        if len(piece):
            self._has_sounded_at = self._due_at
            if self.is_on and piece.any():
                samples = np.zeros(_FRAME_SAMPLES, np.int16)
                samples[: len(piece)] = piece
                frame = sound_frame(samples, pts)
            self._position += _FRAME_SAMPLES
            self._note_utterances(time.monotonic())
        elif self._due_at > self._has_sounded_at + _TURN_IS_OVER_S:
            frame = self._long_silence
        frame.pts = pts
        self._frames += frame.samples // _FRAME_SAMPLES
        self._due_at += frame.samples / SOUND_RATE_HZ
        return frame

    def _note_utterances(self, now: float) -> None:
        sent_ms = self._position * 1000 / SOUND_RATE_HZ
        while (
            len(self.started_at) < len(self._spans)
            and self._spans[len(self.started_at)].start_ms < sent_ms
        ):
            self.started_at.append(now)
        while (
            len(self.ended_at) < len(self._spans)
            and self._spans[len(self.ended_at)].end_ms <= sent_ms
        ):
            self.ended_at.append(now)
