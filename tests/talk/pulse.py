"""A separate PulseAudio server, with a virtual microphone and a virtual speaker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("pulseaudio", "pactl", "paplay", "parec")
_MODULES = (
    "module-null-sink sink_name=voice rate=48000 sink_properties=device.description=Voice",
    "module-remap-source master=voice.monitor source_name=mic "
    "source_properties=device.description=VirtualMicrophone",
    "module-null-sink sink_name=speaker rate=48000 "
    "sink_properties=device.description=VirtualSpeaker",
)


@dataclass
class Pulse:
    """Attributes: `environment`, in which programs find this PulseAudio and no other."""

    environment: dict[str, str]

    def play_into_microphone(self, sound: Path) -> subprocess.Popen[bytes]:
        # However busy the machine is, a person speaks without gaps. Only root may ask for that.
        play = ["nice", "-n", "-11", "paplay", "--device=voice", str(sound)]
        return subprocess.Popen(play, env=self.environment)

    async def until_recorded(self) -> None:
        """Wait until some program has opened the microphone."""
        sources = _list("sources", self.environment).splitlines()
        (microphone,) = (line.split()[0] for line in sources if line.split()[1] == "mic")
        async with asyncio.timeout(60):
            while all(
                line.split()[1] != microphone
                for line in _list("source-outputs", self.environment).splitlines()
            ):
                await asyncio.sleep(0.05)

    @contextlib.contextmanager
    def listening(self, to: Path) -> Iterator[None]:
        """Write what the speaker plays as raw s16 mono 16 kHz."""
        command = ["parec", "--device=speaker.monitor", "--rate=16000", "--channels=1"]
        with to.open("wb") as file:
            ear = subprocess.Popen(
                [*command, "--format=s16le", "--raw"], stdout=file, env=self.environment
            )
            try:
                yield
            finally:
                ear.terminate()
                ear.wait()


@contextlib.contextmanager
def pulse_audio(folder: Path) -> Iterator[Pulse]:
    """Run PulseAudio while the context lasts."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    assert not missing, f"scripts/setup.sh dev installs what is missing here: {missing}"
    folder.chmod(0o700)
    socket = folder / "native"
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "SDL_AUDIODRIVER": "pulseaudio",
    }
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    for module in (f"module-native-protocol-unix auth-anonymous=1 socket={socket}", *_MODULES):
        command += ["-L", module]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not _answers(environment):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield Pulse(environment)
    finally:
        server.terminate()
        server.wait()


def _answers(environment: dict[str, str]) -> bool:
    return "speaker" in _list("sinks", environment)


def _list(what: str, environment: dict[str, str]) -> str:
    listed = subprocess.run(
        ["pactl", "list", "short", what],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout
