"""A camera and a microphone as RTP payloads, for WebRTC stacks that bring no encoder."""

from __future__ import annotations

import base64
import itertools
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc.codecs.vpx import Vp8Encoder

OPUS_HZ = 48_000
SAMPLES = 960
"""A packet: 20 ms."""
VIDEO_HZ = 90_000
FPS = 2
SIZE = (320, 180)
"""The product takes larger frames, but JavaScript encrypts each packet here."""


def write_rtp_recording(speech: Path, video: Path, out: Path, *, seconds: float = 12.0) -> Path:
    """A question in Opus and a video in VP8, as one JSON file.

    Args:
        speech: What the microphone captures first; silence follows.
        video: What the camera shows, at `FPS`, each frame a key frame.
        out: The file to write: a list of `{kind, at_ms, timestamp, marker, payload}` in the order
            of their times, with the payload in base64.
        seconds: How long the recording is.
    """
    packets = [*_opus(speech, seconds), *_vp8(video, seconds)]
    packets.sort(key=lambda packet: packet["at_ms"])
    out.write_text(json.dumps(packets))
    return out


def _packet(kind: str, at_ms: float, timestamp: int, marker: bool, payload: bytes) -> dict:
    return {
        "kind": kind,
        "at_ms": at_ms,
        "timestamp": timestamp,
        "marker": marker,
        "payload": base64.b64encode(payload).decode(),
    }


def _opus(speech: Path, seconds: float) -> list[dict]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=OPUS_HZ)
    with av.open(str(speech)) as source:
        pieces = [f for frame in source.decode(audio=0) for f in resampler.resample(frame)]
    sound = np.concatenate([piece.to_ndarray()[0] for piece in pieces + resampler.resample(None)])
    sound = np.pad(sound, (0, max(0, round(seconds * OPUS_HZ) - len(sound))))
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = OPUS_HZ, "mono", "s16"
    encoder.options = {"application": "voip", "frame_duration": "20"}
    packets = []
    for number in range(len(sound) // SAMPLES):
        part = np.ascontiguousarray(sound[None, number * SAMPLES : (number + 1) * SAMPLES])
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts = OPUS_HZ, number * SAMPLES
        for packet in encoder.encode(frame):
            n = len(packets)
            packets.append(_packet("audio", n * 20.0, n * SAMPLES, False, bytes(packet)))
    return packets


def _vp8(video: Path, seconds: float) -> list[dict]:
    encoder, packets, wanted = Vp8Encoder(), [], round(seconds * FPS)
    with av.open(str(video)) as source:
        step = max(1, round(float(source.streams.video[0].average_rate or 30) / FPS))
        shown = itertools.islice(source.decode(video=0), 0, wanted * step, step)
        frames = [each.reformat(*SIZE, format="yuv420p") for each in shown]
    for number, frame in enumerate(itertools.islice(itertools.cycle(frames), wanted)):
        frame.pts, frame.time_base = number * VIDEO_HZ // FPS, Fraction(1, VIDEO_HZ)
        payloads, timestamp = encoder.encode(frame, force_keyframe=True)
        packets += [
            _packet("video", number * 1000 / FPS, timestamp, payload is payloads[-1], payload)
            for payload in payloads
        ]
    return packets
