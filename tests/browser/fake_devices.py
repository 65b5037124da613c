"""The input of Chromium's fake camera and microphone: real recordings in its formats."""

import itertools
import wave
from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np

SOUND_HZ = 48_000
ROOM_RMS = 30.0
ROOM_SAMPLES = 1 << 18
CAMERA_FPS = 5
CAMERA_S = 10

SCREEN = """(width) => {
    const scale = (width ?? 1600) / 1600;
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [1600 * scale, 1000 * scale];
      const context = canvas.getContext("2d");
      context.scale(scale, scale);
      let n = 0;
      const draw = () => {
        context.fillStyle = "white";
        context.fillRect(0, 0, 1600, 1000);
        context.fillStyle = "black";
        context.font = "64px sans-serif";
        context.fillText("Departure from platform nine", 200, 400);
        context.fillRect(0, 0, n++ % 2 / scale, 1); // a canvas that does not change sends nothing
      };
      draw();
      window.drawing = setInterval(draw, 300);
      const stream = canvas.captureStream(4);
      window.shared = stream.getVideoTracks()[0];
      return stream;
    };
  }"""
"""A getDisplayMedia that draws on a canvas, 1600 or the given number of pixels wide: the headless
shell has no screen, and no dialogue in which a person chooses one."""


def camera_file(recording: Path, out: Path) -> Path:
    """The first ten seconds of a recorded video, for the camera: see `drawn_camera_file`."""
    with av.open(str(recording)) as source:
        shown = source.streams.video[0]
        step = round(shown.average_rate / CAMERA_FPS)
        frames = itertools.islice(source.decode(shown), 0, step * CAMERA_FPS * CAMERA_S, step)
        return _yuv4mpeg2((frame.to_ndarray(format="yuv420p") for frame in frames), out)


def drawn_camera_file(frames: Iterable[np.ndarray], out: Path) -> Path:
    """RGB frames as the YUV4MPEG2 that Chromium's fake camera loops.

    Five frames a second are more than the page sends. They cost a sixth of the usual thirty, at
    which Chromium plays Motion JPEG: without a graphics card the CPU draws each frame.
    """
    return _yuv4mpeg2((cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420) for frame in frames), out)


def _yuv4mpeg2(frames: Iterable[np.ndarray], out: Path) -> Path:
    with out.open("wb") as target:
        for frame in frames:
            if not target.tell():
                size = f"W{frame.shape[1]} H{frame.shape[0] * 2 // 3}"
                target.write(f"YUV4MPEG2 {size} F{CAMERA_FPS}:1 Ip A1:1 C420\n".encode())
            target.write(b"FRAME\n" + frame.tobytes())
    return out


def microphone_file(parts: Iterable[Path | float], out: Path) -> Path:
    """Recordings and silences (in seconds) in a row, as a WAV that Chromium plays in a loop.

    A quiet room's noise is added: Chromium's noise suppression distorts speech that follows
    digital silence, which no real microphone captures.
    """
    pieces = [
        np.zeros(round(part * SOUND_HZ), np.float32) if isinstance(part, float) else _samples(part)
        for part in parts
    ]
    sound = np.concatenate(pieces)
    sound += _room(len(sound))
    np.clip(sound, -32768, 32767, out=sound)
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_HZ)
        file.writeframes(sound.astype(np.int16).tobytes())
    return out


def _room(samples: int) -> np.ndarray:
    """Pink noise about 40 dB below a voice, always the same; it repeats every 5.5 s."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(ROOM_SAMPLES))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(ROOM_SAMPLES, 1 / SOUND_HZ), 50))
    noise = np.fft.irfft(spectrum, ROOM_SAMPLES)
    return np.resize((noise * (ROOM_RMS / noise.std())).astype(np.float32), samples)


def _samples(recording: Path) -> np.ndarray:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)
    with av.open(str(recording)) as source:
        frames = [f for frame in source.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)
