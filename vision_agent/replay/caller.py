"""The caller: a recording that dials in over HTTP and WebRTC, asks, listens and hangs up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_agent.caller.ending import Progress, reason_to_end
from vision_agent.caller.failure import CallFailed, CallRefused, sentence
from vision_agent.caller.peer import Peer
from vision_agent.caller.received_audio import Voice
from vision_agent.caller.recording import (
    SOUND_RATE_HZ,
    Recording,
    Samples,
    read_sound,
    resample,
)
from vision_agent.caller.signalling import Signalling, checked_timeout_s
from vision_agent.caller.tracks import CameraTrack, MicrophoneTrack
from vision_agent.caller.transcript import Conversation, OnTranscript
from vision_agent.caller.utterances import Span, utterances
from vision_agent.replay.report import Report, make_report

_POLL_S = 0.05
# A server that doesn't announce its pictures, or skips all of them, must not stop the question.
_FIRST_PICTURE_S = 3.0
_NOTHING_SAID = (
    "Nobody says anything in it, so there is nothing to answer: it is shown once. "
    "Ask something with --ask, --type or --say."
)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to replay, and where.

    What the caller says is the first of these that is given: `say_pcm`, `say`, `typed`, the
    recording's own sound. One that is given and holds nothing voiced is silence.

    Attributes:
        file: The recording: any video, image or sound FFmpeg reads.
        url: The server, `http://host:port`, as for a browser.
        say: A sound file to speak instead of the recording's own sound. It may hold several
            utterances with silence between them.
        say_pcm: Spoken PCM, s16le mono, and its rate in Hz.
        typed: A question to type (RTVI `send-text`) instead of speaking.
        timeout_s: The longest wait for the server: to connect and be ready, and, once everything
            has been said, for the answer to be over.
        token: Access token, where the server wants one.
        headers: Sent with every request besides, such as the cookie of a login in front.
        asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on.
    """

    file: Path
    url: str
    say: Path | None = None
    say_pcm: tuple[bytes, int] | None = None
    typed: str | None = None
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

    The first picture is held until the server is ready and has got one; then the recording plays
    and the question is asked. The video starts over if the conversation outlasts it. The call
    ends when the answer to the last thing said has ended.

    Args:
        options: What to replay, and where.
        on_progress: Called with the part of what is to be said (or shown, when nothing is) that
            has been, 0 to 1.
        on_transcript: Called with who ("user" or "agent"), text, and ms since the call's zero.
        on_state: Called with "dialling", "connecting", "ready", "asking", "waiting",
            "answering", "ended", as they begin.
        on_note: Called, before anything is dialled, with what the person should know.

    Returns:
        What happened. A call that fails is a report too: its `errors` say why.

    Raises:
        BadRecording: `file` or `say` can't be replayed; nothing has been dialled.
    """
    recording = await asyncio.to_thread(Recording.open, options.file)
    sound = await asyncio.to_thread(_what_to_say, options, recording)
    if on_note is not None and not options.typed and not utterances(sound, SOUND_RATE_HZ):
        on_note(_NOTHING_SAID)
    call = _Call(
        options,
        recording,
        sound,
        Conversation(on_transcript),
        on_progress or (lambda part: None),
        on_state or (lambda state: None),
    )
    return await call.run()


def _what_to_say(options: ReplayOptions, recording: Recording) -> Samples:
    if options.say_pcm is not None:
        return resample(*options.say_pcm)
    if options.say is not None:
        return read_sound(options.say)
    if options.typed is not None:
        return np.zeros(0, np.int16)
    return recording.sound()


class _Call:
    """One call, from dialling to hanging up."""

    def __init__(
        self,
        options: ReplayOptions,
        recording: Recording,
        sound: Samples,
        conversation: Conversation,
        on_progress: Callable[[float], None],
        on_state: Callable[[str], None],
    ) -> None:
        self._options = options
        spoken = options.say_pcm is not None or options.say is not None
        self._typed = None if spoken else options.typed
        self._sound, self._spans = sound, utterances(sound, SOUND_RATE_HZ)
        # When nothing is said, the recording is shown (or its silence played) once.
        self._showing_ms = round(
            1000 * max(recording.duration_s if not spoken else 0, len(sound) / SOUND_RATE_HZ)
        )
        self._conversation, self._voice = conversation, Voice()
        self._on_progress, self._on_state = on_progress, on_state
        self._signalling = Signalling(
            options.url, options.token, options.timeout_s, options.headers
        )
        self._microphone = MicrophoneTrack()
        self._camera = CameraTrack(recording) if recording.has_pictures else None
        self._zero_s = time.monotonic()
        self._peer: Peer | None = None
        self._errors: list[str] = []
        self._asked_ms: int | None = None
        self._state = ""

    async def run(self) -> Report:
        """Make the call; always hangs up."""
        pc_id: str | None = None
        ended = "cut off"
        try:
            self._enter("dialling")
            peer = self._peer = Peer(
                self._microphone,
                self._camera,
                self._conversation,
                self._voice,
                self._now_ms,
                ice_servers=await self._signalling.ice_servers(),
            )
            answer = await self._signalling.offer(await peer.offer(), dict(self._options.asked))
            pc_id = answer.pc_id
            self._enter("connecting")
            await peer.accept(answer.sdp)
            await self._until_ready(peer)
            await self._until_seen()
            self._ask(peer)
            ended = await self._until_over()
        except (CallRefused, CallFailed) as error:
            ended = self._why_over() or str(error)
            if ended not in self._conversation.errors:
                self._errors.append(sentence(ended))
        finally:
            await self._hang_up(pc_id)
        self._conversation.close()
        self._enter("ended")
        return make_report(
            connected_ms=self._peer.connected_ms if self._peer is not None else None,
            spoken=self._spoken(),
            conversation=self._conversation,
            voice=self._voice,
            errors=self._errors,
            ended=ended,
        )

    async def _until_ready(self, peer: Peer) -> None:
        """Wait until media flows and the server has said that its agent listens."""
        deadline_s = time.monotonic() + self._options.timeout_s
        while missing := self._not_ready_because(peer):
            self._check()
            if time.monotonic() > deadline_s:
                raise CallFailed(f"{missing} within {self._options.timeout_s:g} s.")
            await asyncio.sleep(_POLL_S)
        self._enter("ready")

    def _not_ready_because(self, peer: Peer) -> str | None:
        if peer.connected_ms is None:
            return "The connection wasn't made"
        if not self._conversation.ready:
            return "The server didn't say that its agent is ready (bot-ready)"
        if self._conversation.connecting:
            return "The server didn't reach its model"
        return None

    async def _until_seen(self) -> None:
        """Wait until a picture reached the model, so that the question isn't about nothing."""
        deadline_s = time.monotonic() + (_FIRST_PICTURE_S if self._camera is not None else 0)
        while not self._conversation.jpeg_bytes and time.monotonic() < deadline_s:
            self._check()
            await asyncio.sleep(_POLL_S)

    def _ask(self, peer: Peer) -> None:
        if self._camera is not None:
            self._camera.play()
        self._microphone.speak(self._sound, self._spans)
        if self._typed is not None:
            peer.type(self._typed)
        self._asked_ms = self._now_ms()
        self._enter("asking")

    async def _until_over(self) -> str:
        """Wait until the answer has ended, or the time is up; return why."""
        while True:
            self._check()
            progress = self._progress()
            reason = reason_to_end(progress)
            if reason == "timeout":
                state = "hasn't answered" if progress.heard_ms is None else "hasn't stopped talking"
                self._errors.append(
                    f"The agent {state} {self._options.timeout_s:g} s after the caller finished."
                )
            self._on_progress(1.0 if progress.said_ms is not None else self._part_said())
            if reason is not None:
                return reason
            if progress.said_ms is not None:
                self._enter("waiting" if progress.heard_ms is None else "answering")
            await asyncio.sleep(_POLL_S)

    def _progress(self) -> Progress:
        now_ms, asked_ms = self._now_ms(), self._asked_ms or 0
        spoken = self._spoken()
        said_ms: int | None = None
        if self._typed is not None:
            said_ms = asked_ms
        elif self._spans:
            said_ms = spoken[-1].end_ms if len(spoken) == len(self._spans) else None
        elif now_ms - asked_ms >= self._showing_ms:
            said_ms = asked_ms + self._showing_ms
        return Progress(
            now_ms=now_ms,
            said_ms=said_ms,
            expects_answer=bool(self._spans) or self._typed is not None,
            heard_ms=None if said_ms is None else self._voice.first_after(said_ms),
            silent_since_ms=self._voice.silent_since(),
            turn_complete_ms=self._conversation.turn_complete_ms,
            is_busy=self._conversation.is_busy,
            timeout_ms=round(self._options.timeout_s * 1000),
        )

    def _part_said(self) -> float:
        """Return how much of what is to be said (or shown) has been, 0 to 1."""
        if self._spans:
            return min(1.0, self._microphone.spoken_ms / self._spans[-1].end_ms)
        return min(1.0, (self._now_ms() - (self._asked_ms or 0)) / max(1, self._showing_ms))

    def _spoken(self) -> list[Span]:
        """Return the finished utterances, on the call's timeline."""
        if self._typed is not None:
            return [] if self._asked_ms is None else [Span(self._asked_ms, self._asked_ms)]
        # An utterance still being spoken has a start and no end yet.
        pairs = zip(self._microphone.started_at, self._microphone.ended_at, strict=False)
        return [
            Span(self._on_timeline_ms(start), self._on_timeline_ms(end)) for start, end in pairs
        ]

    async def _hang_up(self, pc_id: str | None) -> None:
        """Say goodbye and release everything, whatever state the call is in."""
        if pc_id is not None and self._why_over() is None:
            try:
                await self._signalling.goodbye(pc_id)
            except CallRefused as error:
                self._errors.append(f"Hanging up failed: {error}")
        if self._peer is not None:
            await self._peer.close()
        self._microphone.stop()
        if self._camera is not None:
            self._camera.stop()
            if self._camera.failure is not None:
                self._errors.append(self._camera.failure)

    def _check(self) -> None:
        """Raise once the call can't go on."""
        if (why := self._why_over()) is not None:
            raise CallFailed(sentence(why))

    def _why_over(self) -> str | None:
        """Why the other side or the connection ended the call; None while it goes on."""
        return self._conversation.ended or (self._peer.lost if self._peer is not None else None)

    def _enter(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._on_state(state)

    def _now_ms(self) -> int:
        return self._on_timeline_ms(time.monotonic())

    def _on_timeline_ms(self, at_s: float) -> int:
        return round((at_s - self._zero_s) * 1000)
