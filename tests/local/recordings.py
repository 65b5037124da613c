"""The project's recordings as PCM."""

from __future__ import annotations

import wave
from pathlib import Path

import av

RECORDINGS = Path(__file__).parents[2] / "samples" / "recordings"
SPEECH = RECORDINGS / "speech"

QUESTIONS = {
    "what-do-you-see": "see",
    "what-colour-is-this": "colour",
    "read-the-text": "read",
    "is-there-a-qr-code": "code",
    "what-changed": "changed",
    "what-is-this": "what_is",
    "this-is-my-mug": "teach",
    "hello": "hello",
    "stop": "stop",
}
"""Recordings of spoken questions, and their intents."""


def spoken(name: str) -> bytes:
    """A recording of `samples/recordings/speech`, s16le mono 16 kHz."""
    with wave.open(str(SPEECH / f"{name}.wav")) as recording:
        assert recording.getparams()[:3] == (1, 2, 16_000)
        return recording.readframes(recording.getnframes())


def jfk() -> bytes:
    """Eleven seconds of a real voice, s16le mono 16 kHz."""
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(RECORDINGS / "jfk.flac")) as recording:
        frames = [out for frame in recording.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


def silence(ms: int) -> bytes:
    """Digital silence, 16 kHz."""
    return bytes(32 * ms)
