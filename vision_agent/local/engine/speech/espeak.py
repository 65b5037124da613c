"""A synchronous ctypes binding of espeak-ng.

The library has global state, is not thread-safe, and has the licence GPL 3. So it is loaded only in
the speech worker's process, never in the engine's.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import espeakng_loader
import numpy as np

from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.engine.speech.sound import Floats
from vision_agent.local.engine.speech.text import MAX_SENTENCE_S
from vision_agent.local.engine.speech.voices import EspeakVoice
from vision_agent.local.engine.speech.worker import SynthesisError
from vision_agent.local.engine.speech.worker_messages import Order
from vision_agent.resampler import Resampler

# speak_lib.h
_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_CHARS_UTF8 = 1
_END_PAUSE = 0x1000
_OK = 0

_RATE_HZ = 22_050
_BUFFER_MS = 100
# At the default of 100 some variants clip inside espeak-ng. The missing gain is applied to its
# output.
_HEADROOM_VOLUME = 60

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class EspeakError(SynthesisError):
    """espeak-ng cannot be used; the text gives the reason."""


class Espeak:
    """The one synthesiser of this process. It changes the working directory to espeak-ng's data.

    Raises:
        EspeakError: The library or its data cannot be loaded.
    """

    def __init__(self) -> None:
        data = Path(espeakng_loader.get_data_path()).resolve()
        library = str(Path(espeakng_loader.get_library_path()).resolve())
        self._on_samples: Callable[[Floats], bool] = lambda _: False
        self._error: Exception | None = None
        self._room = 0
        self._callback = _CALLBACK(self._called)  # kept: C holds no reference
        self._language: dict[tuple[tuple[str, ...], str], str] = {}
        self._current = ""
        try:
            # The path is passed as ".": espeak-ng truncates paths of 160 and more bytes.
            os.chdir(data.parent)
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise EspeakError(f"espeak-ng cannot be loaded: {error}") from error
        rate_hz = int(
            self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, _BUFFER_MS, b".", _DONT_EXIT)
        )
        self._library.espeak_SetSynthCallback(self._callback)
        if rate_hz != _RATE_HZ:
            raise EspeakError(
                f"espeak-ng gives {rate_hz} Hz instead of {_RATE_HZ} with the data in {data}."
            )

    def speak(self, order: Order, on_samples: Callable[[Floats], bool]) -> None:
        """Synthesises a text, in 0.2 % of the duration of the speech.

        Args:
            order: The text, without NUL; the first available one of its languages is used.
            on_samples: Called during the synthesis with about 100 ms of mono at 24 kHz, full scale
                1; returning false ends the synthesis. Its exceptions are raised from `speak`.

        Raises:
            EspeakError: espeak-ng has none of the languages, or refuses the text.
        """
        self._choose(order.languages, order.voice.espeak)
        resampler = Resampler(_RATE_HZ, OUTPUT_RATE_HZ, from_format="flt", to_format="flt")
        self._on_samples = lambda level: on_samples(_floats(resampler.feed(level)))
        self._error = None
        self._room = MAX_SENTENCE_S * _RATE_HZ
        data = order.text.encode("utf-8", "replace") + b"\0"
        status = self._library.espeak_Synth(
            data, ctypes.c_size_t(len(data)), 0, 1, 0, _CHARS_UTF8 | _END_PAUSE, None, None
        )
        if self._error is not None:
            raise self._error
        if status != _OK:
            raise EspeakError(f"espeak-ng refused the text (error {status}).")
        on_samples(_floats(resampler.finish()))

    def _called(self, samples: object, count: int, _events: object) -> int:
        """Returns 1 to end the synthesis, as espeak-ng expects."""
        if not samples or count <= 0:
            return 0
        # ctypes only prints exceptions of a callback to standard error.
        try:
            level = np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / np.float32(32768)
            self._room -= count
            return 0 if self._on_samples(level) and self._room > 0 else 1
        except Exception as error:
            self._error = error
            return 1

    def _choose(self, languages: tuple[str, ...], voice: EspeakVoice) -> None:
        asked = (languages, voice.variant)
        if asked not in self._language:
            self._language[asked] = self._first_it_has(languages, voice.variant)
        name = self._language[asked]
        if name != self._current:
            self._select(name)
        for parameter, value in (
            (_RATE, voice.rate_wpm),
            (_VOLUME, _HEADROOM_VOLUME),
            (_PITCH, voice.pitch),
            (_RANGE, voice.pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)

    def _first_it_has(self, languages: tuple[str, ...], variant: str) -> str:
        for language in languages:
            name = f"{language}+{variant}" if variant else language
            if self._select(name):
                return name
        raise EspeakError(f"espeak-ng has no voice for {', '.join(languages)}.")

    def _select(self, name: str) -> bool:
        found = bool(self._library.espeak_SetVoiceByName(name.encode()) == _OK)
        # Setting a voice that is not available may leave another one set.
        self._current = name if found else ""
        return found


def _floats(resampled: bytes) -> Floats:
    return np.frombuffer(resampled, np.float32)
