"""Sound encoded to Opus packets."""

from __future__ import annotations

import fractions

import av
import numpy as np


class Opus:
    name, mimeType = "opus", "audio/opus"


def opus_packets(sound: np.ndarray, layout: str = "mono") -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.format, codec.layout, codec.sample_rate = "s16", layout, 48_000
    channels = 1 if layout == "mono" else 2
    out = []
    for at in range(0, len(sound) - 959, 960):
        out += [bytes(p) for p in codec.encode(frame(sound[at : at + 960], 48_000, at, channels))]
    return out


def frame(samples: np.ndarray, rate_hz: int, pts: int | None, channels: int = 1) -> av.AudioFrame:
    interleaved = np.repeat(samples, channels)[None]
    made = av.AudioFrame.from_ndarray(
        interleaved, format="s16", layout="mono" if channels == 1 else "stereo"
    )
    made.sample_rate, made.pts = rate_hz, pts
    made.time_base = fractions.Fraction(1, rate_hz)
    return made
