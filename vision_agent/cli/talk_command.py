"""`vision-agent talk`: the devices, a server if there is none, and who speaks when."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.failure import CallFailed
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.taps import TappedVideo
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.utterances import utterances
from vision_agent.data_folder import data_folder
from vision_agent.server_process import ServerProcess
from vision_agent.settings import recordings_folder
from vision_agent.talk import preview
from vision_agent.talk.demo import demo_files
from vision_agent.talk.devices import CallDevices, NotPossible
from vision_agent.talk.identity import identity
from vision_agent.talk.keys import lines, single_keys
from vision_agent.talk.screen import LiveScreen, PlainScreen, Screen
from vision_agent.talk.switch import MicrophoneSwitch
from vision_agent.terminal import Terminal

_TALK_KEYS = " \r\n"


@dataclass(frozen=True, slots=True)
class TalkCommand:
    """What was asked for on the command line.

    Attributes:
        text: Lines are typed; no microphone.
        demo: A scripted conversation; no device at all.
        push_to_talk: The microphone is off until a key says otherwise.
        headphones: The agent's voice can't reach the microphone.
        half_duplex: The microphone is off while the agent speaks.
        input: The microphone's number or name, or `none`.
        output: The speaker's.
        camera: The camera's number, a recording, or `none`.
        preview: Show what the agent sees.
        record: Write both sides here, WAV.
        wav: Write the agent's voice here, WAV.
        serve_arguments: For the server that is started when `url` is None.
        url: A running server.
        token: Its access token.
        headers: Sent with every request besides.
        asked: Options of this call.
        timeout_s: Longest wait for the server and for an answer.
    """

    text: bool = False
    demo: bool = False
    push_to_talk: bool = False
    headphones: bool = False
    half_duplex: bool = False
    input: str | None = None
    output: str | None = None
    camera: str | None = None
    preview: bool = False
    record: Path | None = None
    wav: Path | None = None
    serve_arguments: tuple[str, ...] = ()
    url: str | None = None
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 60.0

    async def run(self, console: Terminal) -> bool:
        """Make the call; returns whether everything scripted or piped was answered.

        Raises:
            NotPossible, NoSuchDevice, SoundUnavailable, CameraUnavailable, NoPreview: In words,
                before anything was dialled.
            BadRecording, CallRefused, CallFailed, ServerDidNotStart, OSError: As they say.
        """
        self._check()
        async with AsyncExitStack() as stack:
            devices = CallDevices(
                scripted=self.demo,
                typed=self.text,
                input=self.input,
                output=self.output,
                camera=self.camera,
                headphones=self.headphones,
                half_duplex=self.half_duplex,
            )
            stack.callback(devices.close)
            if self.preview:
                preview.check_preview()
            devices.open()
            if self.preview and devices.camera is None:
                raise NotPossible("--preview shows the camera, and this call has none.")
            recorder = CallRecorder(self.record) if self.record else None
            received = ReceivedAudio() if self.wav else None
            url = self.url
            if url is None:
                server = await stack.enter_async_context(ServerProcess(*self.serve_arguments))
                url = server.url
                console.say(server.says[1])
            screen = self._screen(console)
            stack.callback(screen.close)
            for note in devices.notes:
                screen.note(note)
            call = InteractiveCall(
                Signalling(url, self.token, self.timeout_s, self.headers),
                devices.microphone,
                devices.camera,
                devices.playout,
                screen,
                recorder=recorder,
                received=received,
                asked=self._asked(url, screen),
                timeout_s=self.timeout_s,
            )
            try:
                async with call:
                    devices.start()
                    return await self._talk(call, devices, screen)
            finally:
                if received is not None and self.wav is not None:
                    write_wav(self.wav, received.samples())
                if recorder is not None:
                    screen.note(f"Recorded: {self.record}")

    def _asked(self, url: str, screen: Screen) -> dict[str, Any]:
        try:
            user = identity(data_folder(), url)
        except OSError as error:
            screen.note(f"What you say will not be remembered for your next call: {error}.")
            return self.asked
        return {"user": user} | self.asked

    def _check(self) -> None:
        if self.text and self.push_to_talk:
            raise NotPossible("--text types and --push-to-talk speaks: choose one.")
        if self.demo and (self.text or self.push_to_talk):
            raise NotPossible("--demo speaks by itself: it goes with neither --text nor a key.")
        if self.headphones and self.half_duplex:
            raise NotPossible("With --headphones there is no echo: leave --half-duplex out.")
        if self.push_to_talk and not sys.stdin.isatty():
            raise NotPossible("--push-to-talk needs a terminal for its key.")
        for path in (self.record, self.wav):
            if path is not None and path.suffix.lower() != ".wav":
                raise NotPossible(f"{path} must end in .wav: that is what is written.")

    def _screen(self, console: Terminal) -> Screen:
        if self.text or not console.is_terminal:
            return PlainScreen(console)
        if self.demo:
            return LiveScreen(console, "Ctrl-C ends the demo")
        if self.push_to_talk:
            return LiveScreen(console, "Space: talk, and again: done · q or Ctrl-C: hang up")
        return LiveScreen(console, "Space or m: mute · q or Ctrl-C: hang up")

    async def _talk(self, call: InteractiveCall, devices: CallDevices, screen: Screen) -> bool:
        """Hold the conversation; returns when either side has had enough."""
        if self.demo:
            return await self._hold(call, self._demo(call, devices, screen), devices)
        if self.text:
            return await self._hold(call, self._type_lines(call, screen), devices)
        return await self._hold(call, self._speak(call, devices, screen), devices)

    async def _hold(self, call: InteractiveCall, conversation: Any, devices: CallDevices) -> bool:
        """Run the conversation until it ends or the other side does."""
        async with _tasks() as start:
            talking = start(conversation)
            ended = start(call.until_ended())
            if self.preview and isinstance(devices.camera, TappedVideo):
                start(preview.show(devices.camera))
            await asyncio.wait((talking, ended), return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                return bool(talking.result())
            raise CallFailed(ended.result())

    async def _demo(self, call: InteractiveCall, devices: CallDevices, screen: Screen) -> bool:
        await call.until_seen()
        microphone = devices.scripted
        _, questions = demo_files(recordings_folder())
        all_answered = True
        for question, file in questions:
            sound = await asyncio.to_thread(read_sound, file)
            screen.note(f"(speaks: {question.words})")
            microphone.speak(sound)
            end_ms = utterances(sound, SOUND_RATE_HZ)[-1].end_ms
            await call.until(functools.partial(_has_spoken, microphone, end_ms))
            how = await call.until_answered()
            if how != "answered":
                all_answered = False
                screen.note(f"Not answered: {how}.")
        return all_answered

    async def _type_lines(self, call: InteractiveCall, screen: Screen) -> bool:
        in_text = "TEXT" in str(self.asked.get("modalities", "")).upper()
        typed_by_hand = sys.stdin.isatty()
        if typed_by_hand:
            screen.note("Type a line and press Enter. Ctrl-D or Ctrl-C hangs up.")
        all_answered = True
        async for line in lines():
            if not line.strip():
                continue
            call.type(line)
            if typed_by_hand:
                continue  # who types may interrupt
            screen.line("user", line)
            how = await call.until_answered(in_text=in_text)
            if how != "answered":
                all_answered = False
                screen.note(f"Not answered: {how}.")
        return all_answered

    async def _speak(self, call: InteractiveCall, devices: CallDevices, screen: Screen) -> bool:
        hung_up = asyncio.Event()
        switch = MicrophoneSwitch(call, devices, screen)

        def on_key(key: str) -> None:
            if key.lower() == "q":
                hung_up.set()
            elif key in _TALK_KEYS or key.lower() == "m":
                switch.toggle()

        with single_keys(on_key):
            if self.push_to_talk:
                switch.off_at_once()
            else:
                screen.note("Talk now. Ctrl-C hangs up.")
            await hung_up.wait()
        return True


def _has_spoken(microphone: MicrophoneTrack, end_ms: int) -> bool:
    return microphone.spoken_ms >= end_ms


@contextlib.asynccontextmanager
async def _tasks() -> AsyncIterator[Callable[[Any], asyncio.Task[Any]]]:
    """Tasks that are cancelled and awaited when the context ends."""
    started: list[asyncio.Task[Any]] = []

    def start(work: Any) -> asyncio.Task[Any]:
        started.append(asyncio.ensure_future(work))
        return started[-1]

    try:
        yield start
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
