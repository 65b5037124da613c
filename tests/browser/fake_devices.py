"""What Chromium's fake camera and microphone play: real recordings, converted as it wants them."""

import wave
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

SOUND_HZ = 48_000
ROOM_RMS = 30.0


def camera_file(recording: Path, out: Path) -> Path:
    """A recorded video as the Motion JPEG that Chromium's fake camera shows in a loop."""
    with av.open(str(recording)) as source, av.open(str(out), "w", format="mjpeg") as target:
        shown = source.streams.video[0]
        stream = target.add_stream("mjpeg", rate=30)
        stream.width, stream.height = shown.width, shown.height
        stream.pix_fmt = "yuvj420p"
        stream.options = {"qscale": "3"}
        for number, frame in enumerate(source.decode(shown)):
            # By way of RGB: JPEG uses the full range of values, the recording does not.
            picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), format="rgb24")
            picture = picture.reformat(format="yuvj420p")
            picture.pts = number
            target.mux(stream.encode(picture))
        target.mux(stream.encode())
    return out


def microphone_file(parts: Iterable[Path | float], out: Path) -> Path:
    """Recordings and silences (in seconds) in a row, as a WAV that Chromium plays in a loop.

    They are heard in a quiet room: Chromium's noise suppression distorts speech that comes out of
    digital silence, which no microphone ever hears.
    """
    pieces = [
        np.zeros(round(part * SOUND_HZ)) if isinstance(part, float) else _samples(part)
        for part in parts
    ]
    sound = np.concatenate(pieces)
    sound = np.clip(sound + _room(len(sound)), -32768, 32767)
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_HZ)
        file.writeframes(sound.astype(np.int16).tobytes())
    return out


def _room(samples: int) -> np.ndarray:
    """Pink noise, about 40 dB below a voice; always the same."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(samples, 1 / SOUND_HZ), 50))
    noise = np.fft.irfft(spectrum, samples)
    return noise * (ROOM_RMS / noise.std())


def _samples(recording: Path) -> np.ndarray:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)
    with av.open(str(recording)) as source:
        frames = [f for frame in source.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(float)
