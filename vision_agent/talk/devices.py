"""The microphone, speaker, camera and screen of one call, opened before anything is dialled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiortc import MediaStreamTrack

from vision_agent.caller.playout import Playout
from vision_agent.caller.recording import Recording
from vision_agent.caller.taps import TappedVideo
from vision_agent.caller.tracks import CameraTrack, MicrophoneTrack
from vision_agent.resources import recordings_folder
from vision_agent.talk.choosing import choose
from vision_agent.talk.demo import demo_files
from vision_agent.talk.display import DisplayTrack
from vision_agent.talk.echo import echo_guard
from vision_agent.talk.live_microphone import LiveMicrophoneTrack
from vision_agent.talk.sdl import SoundDevices, SoundStream, SoundUnavailable, list_sound_devices
from vision_agent.talk.sound_thread import SoundThread
from vision_agent.talk.webcam import CameraUnavailable, WebcamTrack, list_cameras
from vision_agent.terminal import Terminal, one_line

NONE = "none"


class NotPossible(ValueError):
    """Options that exclude each other, or need something this machine lacks; in words."""


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """Which devices a call uses.

    Attributes:
        scripted: No device at all: the microphone speaks recordings.
        typed: The microphone is silent, and no camera is used unless one is named.
        input: The microphone's number or name; `none` for silence, None for the default.
        output: The speaker's.
        camera: The camera's number, a recording's path, or `none`; None for any there is.
        headphones: See `echo_guard`.
        half_duplex: See `echo_guard`.
        screen: This machine's screen is shared beside the camera.
    """

    scripted: bool = False
    typed: bool = False
    input: str | None = None
    output: str | None = None
    camera: str | None = None
    headphones: bool = False
    half_duplex: bool = False
    screen: bool = False


class CallDevices:
    """The microphone, speaker, camera and screen of a call, or what stands in for them.

    Attributes:
        playout: The agent's voice, on its way to the speaker.
        notes: Remarks for the person who calls, such as how echo is removed.
        microphone: What the caller says; there once `open` has returned.
        camera: What the caller shows; None without video.
        screen: This machine's screen; None if it is not shared.
    """

    def __init__(self, options: DeviceOptions) -> None:
        self._options = options
        self.playout = Playout()
        self.notes: list[str] = []
        self.camera: MediaStreamTrack | None = None
        self.screen: DisplayTrack | None = None
        self._recorded: CameraTrack | None = None
        self._thread: SoundThread | None = None
        self._streams: list[SoundStream] = []

    def open(self) -> None:
        """Open the devices the options ask for.

        Raises:
            NotPossible, NoSuchDevice, CameraUnavailable, DisplayUnavailable, BadRecording: Why not,
                in words.
        """
        if self._options.screen:
            self.screen = DisplayTrack()
        live = not (self._options.typed or self._options.scripted)
        self.microphone: MediaStreamTrack = LiveMicrophoneTrack() if live else MicrophoneTrack()
        self._open_camera()
        if self._options.scripted:
            return
        speaker = self._open_speaker()
        microphone = self._open_microphone() if live and self._options.input != NONE else None
        guard = echo_guard(
            headphones=self._options.headphones or speaker is None,
            half_duplex=self._options.half_duplex,
        )
        if microphone is not None and speaker is not None:
            self.notes.append(f"Echo: {guard.label}.")
        push = self.live.push_from_thread if live else (lambda block: None)
        self._thread = SoundThread(microphone, speaker, self.playout, guard, push)

    @property
    def live(self) -> LiveMicrophoneTrack:
        """The microphone of a spoken call."""
        assert isinstance(self.microphone, LiveMicrophoneTrack)
        return self.microphone

    def mute(self, after_ms: int, then: Callable[[], None]) -> None:
        """Send silence instead of what the microphone records from `after_ms` from now on.

        Args:
            after_ms: Margin for the last word, which may still be on its way from the device.
            then: Called when everything before it has been sent, unless `unmute` came first.
        """
        unread_ms = self._thread.unread_ms if self._thread is not None else 0.0
        self.live.mute(round(unread_ms) + after_ms, then)

    @property
    def scripted(self) -> MicrophoneTrack:
        """The microphone that speaks recordings."""
        assert isinstance(self.microphone, MicrophoneTrack)
        return self.microphone

    def start(self) -> None:
        """Start sound and video: the call is up."""
        if self._thread is not None:
            self._thread.start()
        if self._recorded is not None:
            self._recorded.play()

    def close(self) -> None:
        """Release all devices; idempotent."""
        if self._thread is not None:
            self._thread.close()
        for stream in self._streams:
            stream.close()
        for video in (self.camera, self.screen):
            if video is not None:
                video.stop()

    def _open_microphone(self) -> SoundStream:
        try:
            devices = list_sound_devices()
            name = choose(devices.inputs, self._options.input, what="microphone", option="--input")
            return self._keep(SoundStream("input", name))
        except (SoundUnavailable, ValueError) as error:
            raise NotPossible(
                f"{error} To talk without a microphone: vision-agent talk --text types, "
                "--demo shows a call without any device."
            ) from error

    def _open_speaker(self) -> SoundStream | None:
        wanted = self._options.output
        if wanted == NONE:
            return None
        try:
            devices = list_sound_devices()
            name = choose(devices.outputs, wanted, what="speaker", option="--output")
            return self._keep(SoundStream("output", name))
        except (SoundUnavailable, ValueError) as error:
            if wanted is not None:
                raise NotPossible(str(error)) from error
            self.notes.append(f"The agent's voice is not played: {error}")
            return None

    def _open_camera(self) -> None:
        wanted = self._options.camera
        if self._options.scripted and wanted is None:
            wanted = str(demo_files(recordings_folder())[0])
        track: MediaStreamTrack | None = None
        if wanted is None and not self._options.typed:
            track = self._any_camera()
        elif wanted is not None and wanted != NONE:
            if wanted.isdecimal():
                track = WebcamTrack(int(wanted))
            else:
                track = self._recorded = CameraTrack(_with_video(Path(wanted)))
        self.camera = TappedVideo(track) if track is not None else None

    def _any_camera(self) -> MediaStreamTrack | None:
        for number, _ in list_cameras():
            with contextlib.suppress(CameraUnavailable):
                return WebcamTrack(number)
        seen = "nothing" if self.screen is None else "your screen only"
        self.notes.append(f"There is no camera here: the agent hears you and sees {seen}.")
        return None

    def _keep(self, stream: SoundStream) -> SoundStream:
        self._streams.append(stream)
        return stream


def _with_video(path: Path) -> Recording:
    recording = Recording.open(path)
    if not recording.has_video:
        raise NotPossible(f"{path} has no picture in it: it can't be the camera.")
    return recording


def print_devices(console: Terminal) -> None:
    """Print microphones, speakers and cameras with the numbers that choose them."""
    try:
        sound = list_sound_devices()
    except SoundUnavailable as error:
        console.say(error)
        sound = SoundDevices("", (), ())
    for title, option, names in (
        ("Microphones", "--input", list(enumerate(sound.inputs))),
        ("Speakers", "--output", list(enumerate(sound.outputs))),
        ("Cameras", "--camera", list_cameras()),
    ):
        console.say(f"{title} ({option}):" if names else f"{title}: none")
        for number, name in names:
            console.say(f"  {number}  {one_line(name)}")
