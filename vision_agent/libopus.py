"""Calls libopus, which PyAV brings along, for one packet of sound at a time.

Called through FFmpeg, as PyAV does, a packet costs more than its coding: a frame, a packet, an
encoder's filter graph with a thread for each core, and a resampler, because FFmpeg decodes Opus to
48 kHz only. libopus itself decodes to a model's 16 kHz. For 20 ms of a voice with warm caches,
encoding takes 68 instead of 93 µs, and decoding to 16 kHz 22 instead of 43 µs. The calls hold the
interpreter's lock, because reacquiring it can take longer than the call.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

_APPLICATION_VOIP = 2048
INVALID_DATA = 1094995529
"""FFmpeg's `AVERROR_INVALIDDATA`."""

_LONGEST_PACKET_MS = 120
MAX_PACKET_BYTES = 1276
"""The longest packet of one Opus frame (RFC 6716 3.2.1)."""

_SETTLED_AFTER = 10
"""After so many equal packets of silence, a decoder's sound and state no longer change."""

SETTINGS = {
    "bitrate": 4002,
    "vbr": 4006,
    "complexity": 4010,
    "inband_fec": 4012,
    "packet_loss_perc": 4014,
    "dtx": 4016,
    "vbr_constraint": 4020,
}
"""The request numbers of an encoder's settings (`OPUS_SET_…_REQUEST`)."""


@functools.cache
def library() -> ctypes.PyDLL | None:
    """libopus; None if it is not found, as in a PyAV that contains it."""
    for path in _paths():
        try:
            found = ctypes.PyDLL(path)
            for name in ("opus_encoder_get_size", "opus_decoder_get_size"):
                getattr(found, name).argtypes = [ctypes.c_int]
            # The arguments after the declared ones are variadic, which some platforms pass
            # differently.
            found.opus_encoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
        except (OSError, AttributeError):
            continue
        return found
    return None


def _paths() -> Iterator[str]:
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from map(str, sorted(folder.glob("libopus[-.]*")))
    if (system := ctypes.util.find_library("opus")) is not None:
        yield system


class MonoDecoder:
    """Decodes to mono s16; libopus itself mixes a stereo stream down.

    Silence that has settled, which a muted microphone or a silent agent sends as the same packet
    fifty times a second, is not decoded again.

    Args:
        opus: The library.
        rate_hz: A rate that Opus has.
    """

    def __init__(self, opus: ctypes.PyDLL, rate_hz: int) -> None:
        self._decode = opus.opus_decode
        self._state = ctypes.create_string_buffer(opus.opus_decoder_get_size(1))
        if opus.opus_decoder_init(self._state, rate_hz, 1):
            raise RuntimeError(f"libopus makes no decoder for {rate_hz} Hz.")
        self._most_samples = rate_hz * _LONGEST_PACKET_MS // 1000
        self._pcm = (ctypes.c_int16 * self._most_samples)()
        self._packet, self._sound = b"", b""
        self._repeats = 0
        self._is_settled = False

    def decode(self, data: bytes) -> bytes:
        """The sound of a packet.

        Raises:
            av.FFmpegError: It is not valid.
        """
        if data != self._packet:
            self._packet, self._repeats, self._is_settled = data, 0, False
        elif self._is_settled:
            return self._sound
        # Without data, libopus would synthesise sound for a lost packet.
        most = self._most_samples
        samples = self._decode(self._state, data, len(data), self._pcm, most, 0) if data else 0
        if samples <= 0:
            raise av.error.InvalidDataError(INVALID_DATA, "Not a packet of Opus")
        self._sound = ctypes.string_at(self._pcm, 2 * samples)
        self._repeats += 1
        if self._repeats == _SETTLED_AFTER:
            self._is_settled = int(np.abs(np.frombuffer(self._sound, np.int16)).max()) <= 1
        return self._sound


class MonoEncoder:
    """Encodes mono s16 as speech (`voip`).

    Args:
        opus: The library.
        rate_hz: A sample rate that Opus supports.
        settings: Values by the names of `SETTINGS`.
    """

    def __init__(self, opus: ctypes.PyDLL, rate_hz: int, settings: dict[str, int]) -> None:
        self._encode = opus.opus_encode
        self._state = ctypes.create_string_buffer(opus.opus_encoder_get_size(1))
        failed = opus.opus_encoder_init(self._state, rate_hz, 1, _APPLICATION_VOIP)
        for name, value in settings.items():
            failed = failed or opus.opus_encoder_ctl(
                self._state, SETTINGS[name], ctypes.c_int(value)
            )
        if failed:
            raise RuntimeError(f"libopus makes no encoder for {rate_hz} Hz with {settings}.")
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)

    def encode(self, pcm: bytes) -> bytes:
        """The packet of one Opus frame of sound."""
        size = self._encode(self._state, pcm, len(pcm) // 2, self._packet, MAX_PACKET_BYTES)
        assert size > 0, f"libopus did not encode {len(pcm)} bytes: {size}"
        return ctypes.string_at(self._packet, size)
