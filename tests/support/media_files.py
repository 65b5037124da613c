"""Small media files, written with FFmpeg."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_CODECS = {
    ".png": ("image2", "png", "rgb24"),
    ".jpg": ("image2", "mjpeg", "yuvj420p"),
    ".mjpeg": ("mjpeg", "mjpeg", "yuvj420p"),
}
"""Format, codec and pixel format by the file's ending; MPEG-4 for all others."""


def write_frames(path: Path, frames: Iterable[np.ndarray], *, fps: int = 1, **options: str) -> Path:
    """Write RGB frames in the format of the file's ending, with options for its encoder."""
    format, codec, pixels = _CODECS.get(path.suffix, (None, "mpeg4", "yuv420p"))
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.pix_fmt, stream.options = pixels, options
        for n, rgb in enumerate(frames):
            if not n:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = n, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_few_frames(video: Path, path: Path) -> Path:
    """Write the first ten seconds with three frames a second: sending thirty takes half a core."""
    with av.open(str(video)) as source:
        stream = source.streams.video[0]
        every = round(stream.average_rate / 3)
        frames = (
            frame.to_ndarray(format="rgb24")
            for n, frame in zip(range(30 * every), source.decode(stream), strict=False)
            if n % every == 0
        )
        return write_frames(path, frames, fps=3, qscale="3")


def make_video(path: Path, *, fps: int, count: int, size: tuple[int, int]) -> Path:
    """Write a video whose n-th frame has the uniform luma 20 + 2n."""
    shape = (size[1], size[0], 3)
    return write_frames(path, (np.full(shape, 20 + 2 * n, np.uint8) for n in range(count)), fps=fps)


def make_image(path: Path, size: tuple[int, int] = (33, 21)) -> Path:
    """Write a red picture."""
    return write_frames(path, [np.full((size[1], size[0], 3), (200, 0, 0), np.uint8)])
