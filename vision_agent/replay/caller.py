"""A recording as the caller: it dials, asks, waits for the answer and hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.ending import CallProgress, answers_in_text
from vision_agent.caller.failure import CallFailed, CallRefused, sentence
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import (
    SOUND_RATE_HZ,
    BadRecording,
    Recording,
    Samples,
    read_sound,
    resample,
)
from vision_agent.caller.signalling import Signalling, checked_timeout_s
from vision_agent.caller.tracks import CameraTrack, MicrophoneTrack
from vision_agent.caller.transcript import CallTranscript, OnTranscript
from vision_agent.caller.turn_signals import TAIL_MS
from vision_agent.caller.utterances import Span, utterances
from vision_agent.replay.report import Report, make_report

_NOTHING_SAID = (
    "Nobody says anything in it, so there is nothing to answer: it is shown once. "
    "Ask something with --ask, --type or --say."
)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to replay, and against which server.

    The caller says the first of these that is given: `say_pcm`, `say`, `typed`, the recording's own
    sound. A source in which nothing is voiced counts as silence.

    Attributes:
        file: The recording: any video, image or sound FFmpeg reads.
        url: The server, `http://host:port`, as for a browser.
        say: A sound file to speak instead of the recording's own sound. It may hold several
            utterances with silence between them.
        say_pcm: Spoken PCM, s16le mono, and its sample rate in Hz.
        typed: A question to type (RTVI `send-text`) instead of speaking.
        screen: A video or an image that is shown as a shared screen, in a loop; None shares none.
        timeout_s: The longest wait for the server, in seconds: to connect and be ready, and, once
            everything has been said, for the end of the answer.
        token: The access token, if the server requires one.
        headers: Sent with every request, such as the cookie of a login in front of the server.
        asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on.

    Raises:
        ValueError: `typed` is empty, or `timeout_s` is not a possible timeout.
    """

    file: Path
    url: str
    say: Path | None = None
    say_pcm: tuple[bytes, int] | None = None
    typed: str | None = None
    screen: Path | None = None
    timeout_s: float = 60.0
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.typed is not None and not self.typed.strip():
            raise ValueError("There is nothing to type: `typed` is empty.")
        checked_timeout_s(self.timeout_s)


async def replay(
    options: ReplayOptions,
    *,
    on_progress: Callable[[float], None] | None = None,
    on_transcript: OnTranscript | None = None,
    on_state: Callable[[str], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Report:
    """Make one call from a recording.

    The first frame is held until the server is ready and its model has seen it. Then the recording
    plays and the question is asked. A video that is shorter than the conversation starts
    over. The call ends with the answer to the last utterance.

    Args:
        options: What to replay, and against which server.
        on_progress: Called with how much has been said, 0 to 1; or shown, if nothing is said.
        on_transcript: Called with who ("user" or "agent"), text, and ms of the call.
        on_state: Called with "dialling", "connecting", "ready", "asking", "waiting",
            "answering", "ended", as they begin.
        on_note: Called before dialling with a remark for the person who replays.

    Returns:
        What happened. A failed call makes a report too: its `errors` say why.

    Raises:
        BadRecording: `file`, `say` or `screen` can't be replayed. Nothing has been dialled.
    """
    recording = await asyncio.to_thread(Recording.open, options.file)
    sound = await asyncio.to_thread(_what_to_say, options, recording)
    screen = await asyncio.to_thread(screen_recording, options.screen) if options.screen else None
    if on_note is not None and not options.typed and not utterances(sound, SOUND_RATE_HZ):
        on_note(_NOTHING_SAID)
    call = _Replay(
        options,
        recording,
        screen,
        sound,
        CallTranscript(on_transcript),
        on_progress or (lambda part: None),
        on_state or (lambda state: None),
    )
    return await call.run()


def screen_recording(path: Path) -> Recording:
    """Open what is shown as a shared screen.

    Raises:
        BadRecording: It can't be shown.
    """
    recording = Recording.open(path)
    if not recording.has_video:
        raise BadRecording(f"{path} has no picture in it: it can't be the screen.")
    return recording


def _what_to_say(options: ReplayOptions, recording: Recording) -> Samples:
    if options.say_pcm is not None:
        return resample(*options.say_pcm)
    if options.say is not None:
        return read_sound(options.say)
    if options.typed is not None:
        return np.zeros(0, np.int16)
    return recording.sound()


class _Replay:
    """One call from a recording, from dialling to hanging up."""

    def __init__(
        self,
        options: ReplayOptions,
        recording: Recording,
        screen: Recording | None,
        sound: Samples,
        transcript: CallTranscript,
        on_progress: Callable[[float], None],
        on_state: Callable[[str], None],
    ) -> None:
        self._options = options
        spoken = options.say_pcm is not None or options.say is not None
        self._typed = None if spoken else options.typed
        self._sound, self._spans = sound, utterances(sound, SOUND_RATE_HZ)
        # If nothing is said, the recording is shown (or its silence played) once.
        self._showing_ms = round(
            1000 * max(recording.duration_s if not spoken else 0, len(sound) / SOUND_RATE_HZ)
        )
        self._transcript, self._received = transcript, ReceivedAudio()
        self._on_progress, self._on_state = on_progress, on_state
        self._microphone = MicrophoneTrack()
        camera = CameraTrack(recording) if recording.has_video else None
        shared = CameraTrack(screen) if screen is not None else None
        self._videos = [video for video in (camera, shared) if video is not None]
        self._call = OutgoingCall(
            Signalling(options.url, options.token, options.timeout_s, options.headers),
            self._microphone,
            camera,
            transcript,
            on_message=transcript.feed,
            on_audio=self._received.feed,
            on_state=self._enter,
            is_played=False,
            timeout_s=options.timeout_s,
            screen=shared,
        )
        self._errors: list[str] = []
        self._asked_ms: int | None = None
        self._ends_turn = False
        self._in_text = answers_in_text(options.asked)
        self._state = ""

    async def run(self) -> Report:
        """Make the call; always hangs up."""
        ended, broke_off = "cut off", False
        try:
            await self._call.dial(self._options.asked)
            self._ends_turn = self._call.signals_turns
            self._enter("ready")
            await self._call.until_seen()
            self._ask()
            ended = await self._call.until_over(self._show_progress)
            if ended == "timeout":
                self._errors.append(self._too_late())
        except (CallRefused, CallFailed) as error:
            broke_off = True
            ended = self._call.ended or str(error)
            if ended not in self._transcript.errors:
                self._errors.append(sentence(ended))
        finally:
            await self._hang_up()
        self._enter("ended")
        return make_report(
            connected_ms=self._call.connected_ms,
            spoken=self._spoken(),
            transcript=self._transcript,
            received=self._received,
            errors=self._errors,
            ended=ended,
            broke_off=broke_off,
            in_text=self._in_text,
        )

    def _ask(self) -> None:
        for video in self._videos:
            video.play()
        self._microphone.speak(self._sound, self._spans)
        if self._typed is not None:
            self._end_turn(TAIL_MS)
            self._call.type(self._typed)
        self._asked_ms = self._call.now_ms()
        self._enter("asking")

    def _show_progress(self) -> CallProgress:
        """Work out where the call stands, and report it."""
        progress = self._progress()
        self._on_progress(1.0 if progress.said_ms is not None else self._part_said())
        if progress.said_ms is not None:
            self._end_turn(progress.now_ms - progress.said_ms)
            self._enter("waiting" if progress.answered_ms is None else "answering")
        return progress

    def _end_turn(self, since_ms: int) -> None:
        """Switch the microphone off after what was said, where that is what ends a turn."""
        if self._ends_turn and since_ms >= TAIL_MS:
            self._ends_turn = False
            self._call.tell_microphone(False)

    def _progress(self) -> CallProgress:
        now_ms, asked_ms = self._call.now_ms(), self._asked_ms or 0
        spoken = self._spoken()
        said_ms: int | None = None
        if self._typed is not None:
            said_ms = asked_ms
        elif self._spans:
            said_ms = spoken[-1].end_ms if len(spoken) == len(self._spans) else None
        elif now_ms - asked_ms >= self._showing_ms:
            said_ms = asked_ms + self._showing_ms
        return CallProgress(
            now_ms=now_ms,
            said_ms=said_ms,
            expects_answer=bool(self._spans) or self._typed is not None,
            answered_ms=None if said_ms is None else self._received.first_after(said_ms),
            silent_since_ms=self._received.silent_since(),
            turn_complete_ms=self._transcript.turn_complete_ms,
            is_busy=self._transcript.is_busy,
            timeout_ms=round(self._options.timeout_s * 1000),
            in_text=self._in_text,
        )

    def _too_late(self) -> str:
        is_silent = self._progress().answered_ms is None
        state = "hasn't answered" if is_silent else "hasn't stopped talking"
        return f"The agent {state} {self._options.timeout_s:g} s after the caller finished."

    def _part_said(self) -> float:
        """Return how much has been said, 0 to 1; or shown, if nothing is said."""
        if self._spans:
            return min(1.0, self._microphone.spoken_ms / self._spans[-1].end_ms)
        return min(1.0, (self._call.now_ms() - (self._asked_ms or 0)) / max(1, self._showing_ms))

    def _spoken(self) -> list[Span]:
        """Return the finished utterances, on the call's timeline."""
        if self._typed is not None:
            return [] if self._asked_ms is None else [Span(self._asked_ms, self._asked_ms)]
        # An utterance that is still being spoken has no end yet.
        pairs = zip(self._microphone.started_at, self._microphone.ended_at, strict=False)
        timeline_ms = self._call.timeline_ms
        return [Span(timeline_ms(start), timeline_ms(end)) for start, end in pairs]

    async def _hang_up(self) -> None:
        if (refused := await self._call.hang_up()) is not None:
            self._errors.append(f"Hanging up failed: {refused}")
        self._errors += [video.failure for video in self._videos if video.failure is not None]

    def _enter(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._on_state(state)
