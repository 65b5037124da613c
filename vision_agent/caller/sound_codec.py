"""Encodes what a caller says, and decodes what the agent says, where the packet is at hand.

Opus is decoded by libopus itself; everything else, and all where libopus is not found, is encoded
and decoded by aiortc's codecs.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from aiortc.codecs import get_decoder, get_encoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, samples_of, sound_frame
from vision_agent.libopus import INVALID_DATA, MonoDecoder, library

_FRAME_SAMPLES = SOUND_RATE_HZ // 50
# After so many packets of silence, encoder and decoder have settled: the last one is sent again.
_SETTLED_AFTER = 10


def sound_encoder(codec: RTCRtpCodecParameters) -> Any:
    """What has `encode` of aiortc's encoders, for 20 ms or several times so much silence."""
    encoder = get_encoder(codec)
    return _OpusEncoder(encoder) if codec.mimeType.lower() == "audio/opus" else encoder


class _OpusEncoder:
    """Encodes mono s16 at `SOUND_RATE_HZ`, and silence only until it has settled."""

    def __init__(self, encoder: Any) -> None:
        # aiortc's: of what libopus encodes in mono, even at 96 kbit/s, recognisers understood
        # less where a recording was on the edge (8 of 10 calls instead of 10).
        self._encoder = encoder
        self._silent, self._silence = 0, b""
        self._first_pts: int | None = None

    def encode(self, frame: av.AudioFrame) -> tuple[list[bytes], int]:
        pts, samples = frame.pts or 0, samples_of(frame)
        if self._first_pts is None:
            self._first_pts = pts
        count = len(samples) // _FRAME_SAMPLES
        if samples.any():
            assert count == 1, f"{len(samples)} samples are not 20 ms"
            self._silent = 0
            packets, _ = self._encoder.encode(frame)
        else:
            packets = [self._silence_of(count, pts)]
        return packets, pts - self._first_pts

    def _silence_of(self, count: int, pts: int) -> bytes:
        for n in range(min(count, _SETTLED_AFTER - self._silent)):
            silence = np.zeros(_FRAME_SAMPLES, np.int16)
            (self._silence,), _ = self._encoder.encode(
                sound_frame(silence, pts + n * _FRAME_SAMPLES)
            )
            self._silent += 1
        if count == 1:
            return self._silence
        # One packet that has the only frame of another several times (RFC 6716 3.2.5).
        return bytes([self._silence[0] | 3, count]) + count * self._silence[1:]


class SoundDecoder:
    """Decodes packets to mono s16 at `SOUND_RATE_HZ`; their codec may change."""

    def __init__(self) -> None:
        self._codec: str | None = None
        self._decoder: Any = None
        self._resampler: av.AudioResampler | None = None

    def decode(self, codec: RTCRtpCodecParameters, packet: JitterFrame) -> Samples:
        """The sound of a packet.

        Raises:
            av.FFmpegError: It is not valid.
        """
        if not packet.data:
            # FFmpeg would take it for the end of the sound and decode nothing from then on.
            raise av.error.InvalidDataError(INVALID_DATA, "An empty packet")
        if codec.mimeType != self._codec:
            self._codec = codec.mimeType
            opus = library() if codec.mimeType.lower() == "audio/opus" else None
            self._resampler = None
            if opus is not None:
                self._decoder = MonoDecoder(opus, SOUND_RATE_HZ)
            else:
                self._decoder = get_decoder(codec)
                self._resampler = av.AudioResampler("s16", "mono", SOUND_RATE_HZ)
        if self._resampler is None:
            return np.frombuffer(self._decoder.decode(packet.data), np.int16)
        pieces = [np.zeros(0, np.int16)]
        for frame in self._decoder.decode(packet):
            pieces += map(samples_of, self._resampler.resample(frame))
        return np.concatenate(pieces)
