"""Decodes Opus to the sound that a model takes."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import ClassVar, Protocol

from vision_agent.libopus import MonoDecoder

_TICKS = 3  # of the RTP clock, for a sample


class EncodedFrame(Protocol):
    """What a jitter buffer hands on: a packet's payload and its RTP timestamp."""

    data: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Sound:
    """Decoded sound as a model takes it, s16le mono; attributes are named as in `av.AudioFrame`."""

    sample_rate: ClassVar = 16_000
    pcm: bytes
    samples: int
    pts: int


class OpusDecoder:
    """Decodes to mono of 16 kHz."""

    def __init__(self, opus: ctypes.PyDLL) -> None:
        self._decoder = MonoDecoder(opus, Sound.sample_rate)

    def decode(self, encoded_frame: EncodedFrame) -> list[Sound]:
        """Decodes a packet.

        Raises:
            av.FFmpegError: It is not valid.
        """
        pcm = self._decoder.decode(encoded_frame.data)
        return [Sound(pcm, len(pcm) // 2, encoded_frame.timestamp // _TICKS)]
