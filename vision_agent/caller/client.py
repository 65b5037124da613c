"""A call from Python: sound files, spoken PCM, typed text, recordings, images and frames."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vision_agent.caller.failure import CallFailed
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.observer import NoObserver
from vision_agent.caller.playout import Playout
from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.recording import (
    SOUND_RATE_HZ,
    BadRecording,
    Recording,
    Samples,
    read_sound,
    resample,
)
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.switching_camera import SwitchingCamera
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.transcript import Point, ToolCallRecord
from vision_agent.caller.utterances import utterances

_SEEN_S = 5.0
_QUIET_MS = 700


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent answered.

    Attributes:
        text: Its words, as the server transcribed them.
        reply_ms: From the end of the question to its voice; None if it had none.
        voice: Its voice, mono s16 at 48 kHz.
        agent: Which agent said the last of it, by its name; a call may have several.
    """

    text: str
    reply_ms: int | None
    voice: Samples
    agent: str = ""

    def write_wav(self, path: Path | str) -> None:
        """Write the voice as a WAV file."""
        write_wav(Path(path), self.voice)


class CallClient:
    """A call to a server while the context lasts.

    Args:
        url: The server, `http://host:port`.
        show: What the camera shows at first; see `show`. None is a call without a camera.
        token: The server's access token, if it wants one.
        headers: Sent with every request besides, such as the cookie of a login in front.
        asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on.
        timeout_s: The longest wait for the server, and for an answer.
    """

    def __init__(
        self,
        url: str,
        *,
        show: Path | str | npt.NDArray[np.uint8] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        asked: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self._url, self._token, self._timeout_s = url, token, timeout_s
        self._headers, self._first, self._asked = headers, show, dict(asked or {})
        self._made: InteractiveCall | None = None
        self._told = 0
        self._in_text = "TEXT" in str(self._asked.get("modalities", "")).upper()

    async def __aenter__(self) -> Self:
        """Dial; `BadRecording`, `CallRefused` or `CallFailed` say why not."""
        self._microphone = MicrophoneTrack()
        self._camera: SwitchingCamera | None = None
        if self._first is not None:
            self._camera = SwitchingCamera()
            self._camera.show(await _frames_of(self._first))
        call = InteractiveCall(
            Signalling(self._url, self._token, self._timeout_s, self._headers),
            self._microphone,
            self._camera,
            Playout(),
            NoObserver(),
            asked=self._asked,
            timeout_s=self._timeout_s,
        )
        await call.__aenter__()
        self._made = call
        if self._camera is not None:
            try:
                await call.until_seen()
            except BaseException as error:
                await self.__aexit__(type(error), error, error.__traceback__)
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._call.__aexit__(kind, error, traceback)

    @property
    def _call(self) -> InteractiveCall:
        if self._made is None:
            raise CallFailed("There is no call yet: write `async with CallClient(…) as call`.")
        return self._made

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who ("user" or "agent") said what so far; typed text isn't transcribed."""
        return self._call.transcript

    @property
    def tool_calls(self) -> list[ToolCallRecord]:
        """The tools the agent has used so far: name, arguments, result, times."""
        return self._call.tool_calls

    @property
    def points(self) -> list[Point]:
        """What the agent has pointed at so far: label and box."""
        return self._call.points

    async def show(self, what: Path | str | npt.NDArray[np.uint8]) -> None:
        """Show something else, and wait until the model was sent a picture.

        Args:
            what: A recording or an image (MP4, WebM, MKV, PNG, JPEG, … anything FFmpeg reads), or
                a frame: RGB, uint8, shape (height, width, 3).

        Raises:
            BadRecording: It can't be shown.
            CallFailed: The call has ended.
            ValueError: The call began without a camera, or the array is no frame.
        """
        call = self._call
        if self._camera is None:
            raise ValueError(
                "The call has no camera: give the first picture as CallClient(show=…)."
            )
        self._camera.show(await _frames_of(what))
        # A server looks when it is asked something, too; this is for what is said next.
        seen = call.frames_seen
        await call.until(lambda: call.frames_seen > seen, _SEEN_S)

    async def type(self, text: str) -> Answer:
        """Type a line; returns its answer.

        Raises:
            ValueError: The line is empty.
            CallFailed: There was no answer, or the call has ended.
        """
        if not text.strip():
            raise ValueError("There is nothing to type: the line is empty.")
        voice, said = self._listen()
        self._call.type(text)
        return await self._answer(voice, said)

    async def say(self, what: Path | str | bytes, *, rate_hz: int = 16_000) -> Answer:
        """Speak; returns the answer.

        Args:
            what: A sound file (WAV, MP3, FLAC, … or a video's sound), or PCM: s16le mono.
            rate_hz: The rate of PCM.

        Raises:
            BadRecording: The file can't be read, or nothing is said in it.
            CallFailed: There was no answer, or the call has ended.
        """
        if isinstance(what, bytes):
            sound = resample(what, rate_hz)
        else:
            sound = await asyncio.to_thread(read_sound, Path(what))
        spans = utterances(sound, SOUND_RATE_HZ)
        if not spans:
            raise BadRecording("Nothing is said in it: there is nothing to answer.")
        voice, said = self._listen()
        self._microphone.speak(sound)
        # The pause after the last word is the sign that it was the last.
        await self._call.until(lambda: self._microphone.spoken_ms >= spans[-1].end_ms)
        return await self._answer(voice, said)

    async def listen(self) -> Answer:
        """What the agent says unasked: next, or since the last answer.

        Raises:
            CallFailed: It has said nothing until the timeout, or the call has ended.
        """
        voice, _ = self._listen()

        def has_spoken() -> bool:
            return any(line.who == "agent" for line in self._call.lines[self._told :])

        def has_finished() -> bool:
            return has_spoken() and self._call.silent_ms > _QUIET_MS

        if not await self._call.until(has_finished, self._timeout_s) and not has_spoken():
            raise CallFailed(f"The agent has said nothing for {self._timeout_s:g} s.")
        return self._told_since(self._told, None, voice)

    def _listen(self) -> tuple[ReceivedAudio, int]:
        voice = ReceivedAudio()
        self._call.keep_audio(voice)
        return voice, len(self._call.transcript)

    async def _answer(self, voice: ReceivedAudio, said: int) -> Answer:
        how = await self._call.until_answered(in_text=self._in_text)
        answer = self._told_since(said, self._call.last_reply_ms, voice)
        if how != "answered" and not answer.text:
            raise CallFailed(f"The agent did not answer: {how}.")
        return answer

    def _told_since(self, said: int, reply_ms: int | None, voice: ReceivedAudio) -> Answer:
        lines = [line for line in self._call.lines[said:] if line.who == "agent"]
        self._told = len(self._call.lines)
        return Answer(
            " ".join(line.text for line in lines),
            reply_ms,
            voice.samples(),
            lines[-1].agent if lines else "",
        )


async def _frames_of(what: Path | str | npt.NDArray[np.uint8]) -> Recording | npt.NDArray[np.uint8]:
    if isinstance(what, np.ndarray):
        return what
    recording = await asyncio.to_thread(Recording.open, Path(what))
    if not recording.has_video:
        raise BadRecording(f"{what} has no picture in it.")
    return recording
