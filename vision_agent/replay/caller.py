"""A caller that dials, plays a script and hangs up: a recording, a list of steps, a persona."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.cut import Cut
from vision_agent.caller.ending import answers_in_text
from vision_agent.caller.failure import CallFailed, CallRefused, sentence
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import (
    SOUND_RATE_HZ,
    BadRecording,
    Recording,
    Samples,
    read_sound,
)
from vision_agent.caller.signalling import Signalling, checked_timeout_s
from vision_agent.caller.switching_camera import SwitchingCamera
from vision_agent.caller.taps import TappedAudio
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.transcript import CallTranscript, OnTranscript
from vision_agent.replay.caller_source import CallerSource, open_source
from vision_agent.replay.prepared import PreparedActions
from vision_agent.replay.report import Report, make_report
from vision_agent.replay.script import CallScript, FixedScript, Source, Speak, Step, TypeText
from vision_agent.replay.script_player import ScriptPlayer

_NOTHING_SAID = (
    "Nobody says anything in it, so there is nothing to answer: it is shown once. "
    "Ask something with --ask, --type or --say."
)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to replay, and against which server.

    The caller follows the first of these that is given: `script`, `say_pcm`, `say`, `typed`, the
    recording's own sound. A sound without a voice counts as silence.

    Attributes:
        file: The recording: any video, image or sound FFmpeg reads; or a recorded call, its folder
            or its `call.mkv`, whose caller does again what the caller did. None shows nothing.
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
        asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on. They take
            precedence over those that a recorded call had asked for.
        script: What the caller does, step by step. The call ends when its last step has been
            answered.
        begin_s: Where in `file` to begin, in seconds.
        end_s: Where in it to end.
        patient: Each step of a recorded call waits for the answer to the step before. Otherwise it
            comes at its recorded time, whatever the agent does.
        record: Write the sound of both sides here: WAV, the caller left, the agent right.

    Raises:
        ValueError: `typed` is empty, there is nothing to replay, or `timeout_s` is not a possible
            timeout.
    """

    file: Path | None
    url: str
    say: Path | None = None
    say_pcm: tuple[bytes, int] | None = None
    typed: str | None = None
    screen: Path | None = None
    timeout_s: float = 60.0
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    script: CallScript | None = None
    begin_s: float = 0.0
    end_s: float = math.inf
    patient: bool = False
    record: Path | None = None

    def __post_init__(self) -> None:
        if self.typed is not None and not self.typed.strip():
            raise ValueError("There is nothing to type: `typed` is empty.")
        does = (self.file, self.say, self.say_pcm, self.typed, self.script)
        if all(one is None for one in does):
            raise ValueError("There is nothing to replay: give a file, a question or a script.")
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
        on_progress: Called with the share that has been said, 0 to 1; or shown, if nothing is said.
        on_transcript: Called with who ("user" or "agent"), text, and ms of the call.
        on_state: Called with "dialling", "connecting", "ready", "asking", "waiting",
            "answering", "ended", as they begin.
        on_note: Called with remarks for the person who replays: before dialling, and when the
            server records the call.

    Returns:
        What happened. A failed call makes a report too: its `errors` say why.

    Raises:
        BadRecording: `file`, `say` or `screen` can't be replayed. Nothing has been dialled.
    """
    source = await _source_of(options)
    prepared = PreparedActions()
    if isinstance(source.script, FixedScript):
        await prepared.all_of(source.script)
    notes = list(source.notes)
    if options.script is None and isinstance(source.script, FixedScript):
        notes += [] if source.script.asks or prepared.is_voiced else [_NOTHING_SAID]
    if on_note is not None:
        for note in notes:
            on_note(note)
    call = _Replay(
        options,
        source,
        prepared,
        CallTranscript(on_transcript, on_note),
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


async def _source_of(options: ReplayOptions) -> CallerSource:
    """What the caller shows and does, by the first source that the options give."""
    question: CallScript | None = options.script
    if question is None and options.say_pcm is not None:
        question = FixedScript([Step(Speak(*options.say_pcm), 0)])
    elif question is None and options.say is not None:
        sound = await asyncio.to_thread(read_sound, options.say)
        question = FixedScript([Step(Speak(sound.tobytes(), SOUND_RATE_HZ), 0)])
    elif question is None and options.typed is not None:
        question = FixedScript([Step(TypeText(options.typed), 0)])
    source = CallerSource({}, question or FixedScript([]))
    if options.file is not None:
        cut = Cut(options.begin_s, options.end_s)
        source = await asyncio.to_thread(
            open_source, options.file, cut, question, patient=options.patient
        )
    if options.screen is not None:
        screen = await asyncio.to_thread(screen_recording, options.screen)
        source = replace(source, shown={**source.shown, "screen": screen})
    return source


class _Replay:
    """One call, from dialling to hanging up."""

    def __init__(
        self,
        options: ReplayOptions,
        source: CallerSource,
        prepared: PreparedActions,
        transcript: CallTranscript,
        on_progress: Callable[[float], None],
        on_state: Callable[[str], None],
    ) -> None:
        self._options, self._script, self._prepared = options, source.script, prepared
        self._asked = {**source.asked, **options.asked}
        self._transcript, self._received = transcript, ReceivedAudio()
        self._on_progress, self._on_state = on_progress, on_state
        self._microphone = MicrophoneTrack()
        self._videos: dict[Source, SwitchingCamera] = {}
        for name in {*source.shown, *source.script.shows}:
            is_on = name in source.shown and name not in source.off
            self._videos[name] = SwitchingCamera(on=is_on)
        for name, recording in source.shown.items():
            self._videos[name].show(recording, playing=False)
        self._recorder = None if options.record is None else CallRecorder(options.record)
        self._call = OutgoingCall(
            Signalling(options.url, options.token, options.timeout_s, options.headers),
            TappedAudio(self._microphone, self._on_sent) if self._recorder else self._microphone,
            self._videos.get("camera"),
            transcript,
            on_message=self._take,
            on_audio=self._on_audio,
            on_state=self._enter,
            is_played=False,
            timeout_s=options.timeout_s,
            screen=self._videos.get("screen"),
        )
        self._player: ScriptPlayer | None = None
        self._errors: list[str] = []
        self._in_text = answers_in_text(self._asked)
        self._state = ""

    async def run(self) -> Report:
        """Make the call; always hangs up."""
        ended, broke_off, unanswered = "cut off", False, False
        try:
            for video in self._videos.values():
                await video.ready()
            await self._call.dial(self._asked)
            self._enter("ready")
            await self._call.until_seen(
                {source for source, video in self._videos.items() if video.is_on}
            )
            self._player = self._new_player()
            ended = await self._player.play(self._script)
            if ended == "timeout":
                self._errors.append(self._player.too_late())
                unanswered = self._player.is_silent
        except (CallRefused, CallFailed) as error:
            broke_off = True
            ended = self._call.ended or str(error)
            if ended not in self._transcript.errors:
                self._errors.append(sentence(ended))
        finally:
            ended_ms = self._call.now_ms()
            await self._hang_up()
        self._enter("ended")
        return make_report(
            call_id=self._call.pc_id,
            connected_ms=self._call.connected_ms,
            words=self._player.words if self._player is not None else [],
            transcript=self._transcript,
            received=self._received,
            errors=self._errors,
            ended=ended,
            ended_ms=ended_ms,
            broke_off=broke_off,
            unanswered=unanswered,
            in_text=self._in_text,
        )

    def _new_player(self) -> ScriptPlayer:
        return ScriptPlayer(
            self._call,
            self._microphone,
            self._videos,
            self._transcript,
            self._received,
            self._prepared,
            timeout_s=self._options.timeout_s,
            in_text=self._in_text,
            on_state=self._enter,
            on_progress=self._on_progress,
        )

    def _on_sent(self, samples: Samples, at_s: float) -> None:
        if self._recorder is not None:
            self._recorder.caller(samples, self._call.timeline_ms(at_s))

    def _on_audio(self, samples: Samples, arrived_ms: int) -> None:
        self._received.feed(samples, arrived_ms)
        if self._recorder is not None:
            self._recorder.agent(samples, arrived_ms)

    def _take(self, message: str | bytes, at_ms: int) -> None:
        known = len(self._transcript.interrupted_ms)
        self._transcript.feed(message, at_ms)
        if len(self._transcript.interrupted_ms) > known:
            self._received.interrupted(at_ms)

    async def _hang_up(self) -> None:
        if (refused := await self._call.hang_up()) is not None:
            self._errors.append(f"Hanging up failed: {refused}")
        if self._recorder is not None:
            self._recorder.close()
        videos = self._videos.values()
        self._errors += [video.failure for video in videos if video.failure is not None]

    def _enter(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._on_state(state)
