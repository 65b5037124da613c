"""Sound devices through SDL 2: their names, recording and playing.

SDL's wheel is self-contained on Linux (x86-64 and ARM), macOS and Windows and finds PulseAudio,
PipeWire or ALSA by itself, and SDL fills and drains its queues without calling into Python.
(miniaudio, which does call, stopped after a few calls on PulseAudio in most trials.)

Functions and structures are those of SDL_audio.h; all PCM is s16 mono at `RATE_HZ`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RATE_HZ = 48_000
BYTES_PER_MS = 2 * RATE_HZ // 1000

_INIT_AUDIO = 0x10
_S16_LITTLE_ENDIAN = 0x8010
_PERIOD_SAMPLES = RATE_HZ // 100
# A microphone that was not read for a while must not return a minute of sound.
_MAX_READ_BYTES = 1000 * BYTES_PER_MS


class SoundUnavailable(RuntimeError):
    """No sound device is usable; `str(error)` says what to do."""


@dataclass(frozen=True, slots=True)
class SoundDevices:
    """The names of this machine's sound devices, and the sound system behind them."""

    system: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class _Spec(ctypes.Structure):
    """SDL_AudioSpec."""

    _fields_ = (
        ("freq", ctypes.c_int),
        ("format", ctypes.c_uint16),
        ("channels", ctypes.c_uint8),
        ("silence", ctypes.c_uint8),
        ("samples", ctypes.c_uint16),
        ("padding", ctypes.c_uint16),
        ("size", ctypes.c_uint32),
        ("callback", ctypes.c_void_p),
        ("userdata", ctypes.c_void_p),
    )


def list_sound_devices() -> SoundDevices:
    """Return this machine's sound devices.

    Raises:
        SoundUnavailable: No sound system answers, or SDL is missing.
    """
    sdl = _started()
    names = []
    for capture in (1, 0):
        count = max(0, sdl.SDL_GetNumAudioDevices(capture))
        found = [sdl.SDL_GetAudioDeviceName(index, capture) for index in range(count)]
        names.append(tuple(name.decode(errors="replace") for name in found if name))
    system = sdl.SDL_GetCurrentAudioDriver() or b""
    return SoundDevices(system.decode(), names[0], names[1])


class SoundStream:
    """An open device: a microphone to `read` or a speaker to `write`.

    Args:
        kind: "input" for a microphone, "output" for a speaker.
        name: A name from `list_sound_devices`; None for the system's default.

    Raises:
        SoundUnavailable: The device can't be opened.
    """

    def __init__(self, kind: Literal["input", "output"], name: str | None = None) -> None:
        self._sdl = _started()
        wanted = _Spec(freq=RATE_HZ, format=_S16_LITTLE_ENDIAN, channels=1, samples=_PERIOD_SAMPLES)
        got = _Spec()
        self._device = self._sdl.SDL_OpenAudioDevice(
            name.encode() if name else None,
            1 if kind == "input" else 0,
            ctypes.byref(wanted),
            ctypes.byref(got),
            0,
        )
        if not self._device:
            what = "microphone" if kind == "input" else "speaker"
            raise SoundUnavailable(
                f"The {what} {name or '(the default one)'} can't be opened: {_reason(self._sdl)}."
            )
        self._buffer = ctypes.create_string_buffer(_MAX_READ_BYTES)
        self._sdl.SDL_PauseAudioDevice(self._device, 0)

    def read(self) -> bytes:
        """Return what has been recorded since the last call, s16le mono; never waits."""
        size = self._sdl.SDL_DequeueAudio(self._device, self._buffer, _MAX_READ_BYTES)
        return self._buffer.raw[:size]

    def write(self, pcm: bytes) -> None:
        """Queue sound to be played, s16le mono; never waits."""
        self._sdl.SDL_QueueAudio(self._device, pcm, len(pcm))

    def clear(self) -> None:
        """Discard the queue."""
        self._sdl.SDL_ClearQueuedAudio(self._device)

    @property
    def queued_ms(self) -> float:
        """How much sound waits to be played or read, in ms."""
        return float(self._sdl.SDL_GetQueuedAudioSize(self._device)) / BYTES_PER_MS

    def close(self) -> None:
        """Release the device; idempotent."""
        device, self._device = self._device, 0
        if device:
            self._sdl.SDL_CloseAudioDevice(device)


@functools.cache
def _started() -> ctypes.CDLL:
    sdl = _load()
    # SDL would otherwise take over Ctrl-C.
    sdl.SDL_SetHint(b"SDL_NO_SIGNAL_HANDLERS", b"1")
    if sdl.SDL_InitSubSystem(_INIT_AUDIO) < 0:
        raise SoundUnavailable(
            f"No sound system answers on this machine ({_reason(sdl)}): there is neither "
            "microphone nor speaker."
        )
    return sdl


def _load() -> ctypes.CDLL:
    path = _bundled() or ctypes.util.find_library("SDL2-2.0") or ctypes.util.find_library("SDL2")
    if path is None:
        raise SoundUnavailable(
            "SDL 2, which plays and records sound, is missing: pip install pysdl2-dll, "
            "or install your system's SDL2."
        )
    try:
        sdl = ctypes.CDLL(path)
    except OSError as error:
        raise SoundUnavailable(f"SDL 2 can't be loaded from {path}: {error}.") from error
    for function in (
        sdl.SDL_GetError,
        sdl.SDL_GetAudioDeviceName,
        sdl.SDL_GetCurrentAudioDriver,
    ):
        function.restype = ctypes.c_char_p
    device, data, size = ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32
    sdl.SDL_OpenAudioDevice.restype = device
    sdl.SDL_OpenAudioDevice.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.POINTER(_Spec),
        ctypes.POINTER(_Spec),
        ctypes.c_int,
    ]
    sdl.SDL_QueueAudio.argtypes = [device, ctypes.c_char_p, size]
    sdl.SDL_ClearQueuedAudio.argtypes = [device]
    sdl.SDL_DequeueAudio.argtypes = [device, data, size]
    for function in (sdl.SDL_DequeueAudio, sdl.SDL_GetQueuedAudioSize):
        function.restype = size
    return sdl


def _bundled() -> str | None:
    """Return the path of the library in the pysdl2-dll wheel; None without it."""
    try:
        import sdl2dll
    except ImportError:
        return None
    name = {"win32": "SDL2.dll", "darwin": "SDL2.framework/SDL2"}.get(
        sys.platform, "libSDL2-2.0.so"
    )
    path = Path(os.fspath(sdl2dll.get_dllpath())) / name
    return str(path) if path.exists() else None


def _reason(sdl: ctypes.CDLL) -> str:
    return (sdl.SDL_GetError() or b"no reason given").decode(errors="replace").rstrip(".")
