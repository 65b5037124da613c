"""A call from Python: speak sound files or PCM, type text, show recordings, images or frames."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vision_agent.caller.answer_gap import QUIET_MS
from vision_agent.caller.ending import answers_in_text
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
from vision_agent.caller.turn_signals import LEAD_S, TAIL_MS
from vision_agent.caller.utterances import utterances

_SEEN_S = 5.0
_QUIET_MS = 700


@dataclass(frozen=True, slots=True)
class Answer:
    """The agent's answer.

    Attributes:
        text: The words, as the server transcribed them.
        reply_ms: From the end of the question to the first sound of the answer; None without voice.
        voice: The sound, mono s16 at 48 kHz; shape (samples,).
        agent: The name of the agent that spoke last; a call may have several.
    """

    text: str
    reply_ms: int | None
    voice: Samples
    agent: str = ""

    def write_wav(self, path: Path | str) -> None:
        """Write the voice as a WAV file."""
        write_wav(Path(path), self.voice)


class CallClient:
    """A call to a server, for as long as the context lasts.

    Args:
        url: The server's address, such as `http://host:port`; it may have a path.
        show: What the camera shows at first; see `show`. None makes a call without a camera.
        screen: A recording, an image or a frame that is shared as a screen beside the camera; None
            shares none.
        token: The access token, if the server requires one.
        headers: Sent with every request, such as the cookie of a login in front of the server.
        asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on
            (docs/options.md). If `voice_activity_detection` is off, in the call or on the server,
            `say` makes a turn by switching the microphone on and off.
        timeout_s: The longest wait for the server, and for an answer, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        show: Path | str | npt.NDArray[np.uint8] | None = None,
        screen: Path | str | npt.NDArray[np.uint8] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        asked: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self._url, self._token, self._timeout_s = url, token, timeout_s
        self._headers, self._shown_first, self._asked = headers, show, dict(asked or {})
        self._dialled: InteractiveCall | None = None
        self._screen_shown = screen
        self._lines_returned = 0
        self._in_text = answers_in_text(self._asked)

    async def __aenter__(self) -> Self:
        """Dial, and wait until the server is ready and its model has a frame of all that is shown.

        The wait for the frames ends after 3 s in any case.

        Raises:
            BadRecording: `show` or `screen` is not a usable recording or image.
            CallRefused: The server can't be reached or does not take the call.
            CallFailed: No connection was made, or the server was not ready in time.
            ValueError: An array is not an RGB frame, or `timeout_s` is not a possible timeout.
        """
        self._microphone = MicrophoneTrack()
        self._camera: SwitchingCamera | None = None
        if self._shown_first is not None:
            self._camera = SwitchingCamera()
            self._camera.show(await _frames_of(self._shown_first))
        screen: SwitchingCamera | None = None
        if self._screen_shown is not None:
            screen = SwitchingCamera()
            screen.show(await _frames_of(self._screen_shown))
        call = InteractiveCall(
            Signalling(self._url, self._token, self._timeout_s, self._headers),
            self._microphone,
            self._camera,
            Playout(),
            NoObserver(),
            asked=self._asked,
            timeout_s=self._timeout_s,
            screen=screen,
        )
        await call.__aenter__()
        self._dialled = call
        if call.signals_turns:
            call.tell_switched("microphone", False)
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
        if self._dialled is None:
            raise CallFailed("There is no call yet: write `async with CallClient(…) as call`.")
        return self._dialled

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who ("user" or "agent") said what so far. Typed text is not part of it."""
        return self._call.transcript

    @property
    def tool_calls(self) -> list[ToolCallRecord]:
        """The tools the agent has used so far, with name, arguments, result and times.

        Arguments and results are there if the server reports them (`--tool-reports full`).
        """
        return self._call.tool_calls

    @property
    def points(self) -> list[Point]:
        """What the agent has pointed at so far, as labels and boxes."""
        return self._call.points

    @property
    def recorded(self) -> bool:
        """Whether the server records the call now; it says so when the call begins."""
        return self._call.recorded

    @property
    def usage(self) -> dict[str, Any] | None:
        """The cost of the call so far: tokens and an estimate; None if no service counted any.

        The server sends it after each turn, as `tokens` by kind and modality, `estimate`,
        `currency`, `prices_of` (the day of the list prices), `models` and a `note`.
        """
        return self._call.usage

    async def show(self, what: Path | str | npt.NDArray[np.uint8]) -> None:
        """Show something else; wait until the model has been sent a frame of it, at most 5 s.

        Args:
            what: A recording or an image (MP4, WebM, MKV, PNG, JPEG, … anything FFmpeg reads), or
                a frame: RGB, uint8, shape (height, width, 3).

        Raises:
            BadRecording: The file is not a usable recording or image.
            CallFailed: The call has ended.
            ValueError: The call began without a camera, or the array is not an RGB frame.
        """
        call = self._call
        if self._camera is None:
            raise ValueError(
                "The call has no camera: give the first picture as CallClient(show=…)."
            )
        camera = self._camera
        camera.show(await _frames_of(what))
        # A server also takes a frame when a question is asked, but this wait is for the next
        # question.

        def is_seen() -> bool:
            # Earlier frames may still be on their way to the server, or to the model.
            sent_s, captured_ms = camera.sent_s, call.camera_seen_ms
            if sent_s is None or captured_ms is None:
                return False
            return captured_ms >= call.timeline_ms(sent_s)

        await call.until(is_seen, _SEEN_S)

    async def type(self, text: str) -> Answer:
        """Type a line; returns the answer.

        Raises:
            ValueError: The line is empty.
            CallFailed: No answer came, the server refused the line, or the call has ended.
        """
        if not text.strip():
            raise ValueError("There is nothing to type: the line is empty.")
        voice, said = self._listen()
        asked_ms = self._call.now_ms()
        self._call.type(text)
        return await self._answer(voice, said, asked_ms)

    async def say(self, what: Path | str | bytes, *, rate_hz: int = 16_000) -> Answer:
        """Speak; returns the answer.

        Args:
            what: A sound file (WAV, MP3, FLAC, … or a video's sound), or PCM: s16le mono.
            rate_hz: The sample rate of the PCM.

        Raises:
            BadRecording: The file can't be read, or nothing is said in it.
            CallFailed: No answer came, or the call has ended.
            ValueError: The PCM is not whole 16-bit samples, or its rate is not positive.
        """
        if isinstance(what, bytes):
            sound = resample(what, rate_hz)
        else:
            sound = await asyncio.to_thread(read_sound, Path(what))
        spans = utterances(sound, SOUND_RATE_HZ)
        if not spans:
            raise BadRecording("Nothing is said in it: there is nothing to answer.")
        voice, said = self._listen()
        asked_ms = self._call.now_ms()
        signals_turns = self._call.signals_turns
        if signals_turns:
            self._call.tell_switched("microphone", True)
            await asyncio.sleep(LEAD_S)
            sound = np.concatenate([sound, np.zeros(SOUND_RATE_HZ * TAIL_MS // 1000, np.int16)])
        self._microphone.speak(sound)
        # The call's timing counts from the last word: the pause after it ends the caller's turn.
        end_ms = spans[-1].end_ms + (TAIL_MS if signals_turns else 0)
        await self._call.until(lambda: self._microphone.spoken_ms >= end_ms)
        if signals_turns:
            self._call.tell_switched("microphone", False)
        return await self._answer(voice, said, asked_ms)

    async def listen(self) -> Answer:
        """Wait for what the agent says unasked; returns what it has said since the last answer.

        Raises:
            CallFailed: The agent said nothing within the timeout, or the call has ended.
        """
        voice, _ = self._listen()

        def has_spoken() -> bool:
            return any(line.who == "agent" for line in self._call.lines[self._lines_returned :])

        def has_finished() -> bool:
            return has_spoken() and self._call.silent_ms > _QUIET_MS

        if not await self._call.until(has_finished, self._timeout_s) and not has_spoken():
            raise CallFailed(f"The agent has said nothing for {self._timeout_s:g} s.")
        return self._answer_since(self._lines_returned, 0, None, voice)

    def _listen(self) -> tuple[ReceivedAudio, int]:
        voice = ReceivedAudio(mid_answer=self._call.silent_ms < QUIET_MS)
        self._call.keep_audio(voice)
        return voice, len(self._call.transcript)

    async def _answer(self, voice: ReceivedAudio, said: int, asked_ms: int) -> Answer:
        how = await self._call.until_answered(in_text=self._in_text)
        answer = self._answer_since(said, asked_ms, self._call.last_reply_ms, voice)
        if how != "answered" and not answer.text:
            raise CallFailed(f"The agent did not answer: {how}.")
        return answer

    def _answer_since(
        self, said: int, asked_ms: int, reply_ms: int | None, voice: ReceivedAudio
    ) -> Answer:
        lines = [line for line in self._call.lines[said:] if line.who == "agent"]
        # A line comes when it is over: an answer that was cut off by the question began before it.
        lines = [line for line in lines if line.at_ms >= asked_ms] or lines
        self._lines_returned = len(self._call.lines)
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
