"""The body of `vision-agent talk`: opens the devices, calls a server, holds the conversation."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.ending import answers_in_text
from vision_agent.caller.failure import CallFailed
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.taps import TappedVideo
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.utterances import utterances
from vision_agent.cli.called_server import CalledServer
from vision_agent.data_folder import data_folder
from vision_agent.resources import recordings_folder
from vision_agent.talk import preview
from vision_agent.talk.demo import demo_files
from vision_agent.talk.devices import CallDevices, DeviceOptions, NotPossible
from vision_agent.talk.display import DisplayTrack
from vision_agent.talk.identity import identity
from vision_agent.talk.keys import lines, single_keys
from vision_agent.talk.screen import LiveScreen, PlainScreen, Screen
from vision_agent.talk.switch import MicrophoneSwitch
from vision_agent.terminal import Terminal

_TALK_KEYS = " \r\n"


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """The options of the command line.

    Attributes:
        devices: Microphone, speaker, camera and screen, or their substitutes.
        server: The server that is called.
        push_to_talk: The microphone is off until a key says otherwise.
        preview: Show the frames that the agent sees.
        record: Write both sides here, WAV.
        wav: Write the agent's voice here, WAV.
    """

    devices: DeviceOptions
    server: CalledServer
    push_to_talk: bool = False
    preview: bool = False
    record: Path | None = None
    wav: Path | None = None

    def check(self) -> None:
        """Raise `NotPossible` for options that exclude each other."""
        devices = self.devices
        if devices.typed and self.push_to_talk:
            raise NotPossible("--text types and --push-to-talk speaks: choose one.")
        if devices.scripted and (devices.typed or self.push_to_talk):
            raise NotPossible("--demo speaks by itself: it goes with neither --text nor a key.")
        if devices.headphones and devices.half_duplex:
            raise NotPossible("With --headphones there is no echo: leave --half-duplex out.")
        if self.push_to_talk and not sys.stdin.isatty():
            raise NotPossible("--push-to-talk needs a terminal for its key.")
        for path in (self.record, self.wav):
            if path is not None and path.suffix.lower() != ".wav":
                raise NotPossible(f"{path} must end in .wav: that is what is written.")


async def run(options: TalkOptions, console: Terminal) -> bool:
    """Make the call; returns whether every scripted or piped question was answered.

    Raises:
        NotPossible, NoSuchDevice, SoundUnavailable, CameraUnavailable, DisplayUnavailable,
            NoPreview: Options or devices are unusable; nothing has been dialled.
        BadRecording, CallRefused, CallFailed, ServerDidNotStart, OSError: `str(error)` says why.
    """
    options.check()
    async with AsyncExitStack() as stack:
        devices = CallDevices(options.devices)
        stack.callback(devices.close)
        if options.preview:
            preview.check_preview()
        devices.open()
        if options.preview and devices.camera is None:
            raise NotPossible("--preview shows the camera, and this call has none.")
        recorder = CallRecorder(options.record) if options.record else None
        received = ReceivedAudio() if options.wav else None
        server = options.server
        url = await server.address(stack, console)
        screen = _screen(options, console)
        stack.callback(screen.close)
        for note in devices.notes:
            screen.note(note)
        signalling = Signalling(url, server.token, server.timeout_s, server.headers)
        call = InteractiveCall(
            signalling,
            devices.microphone,
            devices.camera,
            devices.playout,
            screen,
            recorder=recorder,
            received=received,
            asked=_asked(server, url, screen),
            timeout_s=server.timeout_s,
            screen=devices.screen,
        )
        if devices.screen is not None:
            devices.screen.on("ended", functools.partial(_tell_end, devices.screen, screen))
        try:
            async with call:
                if signalling.needs_consent and "record" not in server.asked:
                    screen.note("A call is recorded here only with --agree-recording.")
                devices.start()
                return await _Talk(options, call, devices, screen).run()
        finally:
            if received is not None and options.wav is not None:
                write_wav(options.wav, received.samples())
            if recorder is not None:
                screen.note(f"Recorded: {options.record}")


def _tell_end(shared: DisplayTrack, screen: Screen) -> None:
    """Say why the display is not shared any more, unless the call is over."""
    if shared.failure is not None:
        screen.note(shared.failure)


def _asked(server: CalledServer, url: str, screen: Screen) -> Mapping[str, Any]:
    try:
        user = identity(data_folder(), url)
    except OSError as error:
        screen.note(f"What you say will not be remembered for your next call: {error}.")
        return server.asked
    return {"user": user, **server.asked}


def _screen(options: TalkOptions, console: Terminal) -> Screen:
    if options.devices.typed or not console.is_terminal:
        return PlainScreen(console)
    if options.devices.scripted:
        return LiveScreen(console, "Ctrl-C ends the demo")
    if options.push_to_talk:
        return LiveScreen(console, "Space: talk, and again: done · q or Ctrl-C: hang up")
    return LiveScreen(console, "Space or m: mute · q or Ctrl-C: hang up")


@dataclass(frozen=True, slots=True)
class _Talk:
    """The conversation of a call after it has been connected."""

    options: TalkOptions
    call: InteractiveCall
    devices: CallDevices
    screen: Screen

    async def run(self) -> bool:
        """Hold the conversation until it ends or the other side ends the call."""
        async with _tasks() as start:
            talking = start(self._hold())
            ended = start(self.call.until_ended())
            if self.options.preview and isinstance(self.devices.camera, TappedVideo):
                start(preview.show(self.devices.camera))
            await asyncio.wait((talking, ended), return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                return bool(talking.result())
            raise CallFailed(ended.result())

    async def _hold(self) -> bool:
        if self.options.devices.scripted:
            return await self._demo()
        if self.options.devices.typed:
            return await self._type_lines()
        return await self._speak()

    async def _demo(self) -> bool:
        await self.call.until_seen()
        microphone = self.devices.scripted
        _, questions = demo_files(recordings_folder())
        all_answered = True
        for question, file in questions:
            sound = await asyncio.to_thread(read_sound, file)
            self.screen.note(f"(speaks: {question.words})")
            microphone.speak(sound)
            end_ms = utterances(sound, SOUND_RATE_HZ)[-1].end_ms
            await self.call.until(functools.partial(_has_spoken, microphone, end_ms))
            all_answered &= self._note(await self.call.until_answered())
        return all_answered

    async def _type_lines(self) -> bool:
        in_text = answers_in_text(self.options.server.asked)
        typed_by_hand = sys.stdin.isatty()
        if typed_by_hand:
            self.screen.note("Type a line and press Enter. Ctrl-D or Ctrl-C hangs up.")
        else:
            await self.call.until_seen()
        all_answered = True
        async for line in lines():
            if not line.strip():
                continue
            self.call.type(line)
            if typed_by_hand:
                continue  # a person may interrupt by typing
            self.screen.line("user", line)
            all_answered &= self._note(await self.call.until_answered(in_text=in_text))
        return all_answered

    async def _speak(self) -> bool:
        hung_up = asyncio.Event()
        switch = MicrophoneSwitch(self.call, self.devices, self.screen)

        def on_key(key: str) -> None:
            if key.lower() == "q":
                hung_up.set()
            elif key in _TALK_KEYS or key.lower() == "m":
                switch.toggle()

        with single_keys(on_key):
            if self.options.push_to_talk:
                switch.off_at_once()
            else:
                self.screen.note("Talk now. Ctrl-C hangs up.")
            await hung_up.wait()
        return True

    def _note(self, how: str) -> bool:
        """Return whether the last question was answered; show how it ended if not."""
        if how != "answered":
            self.screen.note(f"Not answered: {how}.")
        return how == "answered"


def _has_spoken(microphone: MicrophoneTrack, end_ms: int) -> bool:
    return microphone.spoken_ms >= end_ms


@contextlib.asynccontextmanager
async def _tasks() -> AsyncIterator[Callable[[Any], asyncio.Task[Any]]]:
    """Start tasks; cancel and await them when the context ends."""
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
