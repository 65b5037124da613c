"""Small media files, written with FFmpeg."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def make_video(path: Path, *, fps: int, count: int, size: tuple[int, int]) -> Path:
    """Write a video whose n-th frame is evenly of luma 20 + 2n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for n in range(count):
            rgb = np.full((size[1], size[0], 3), 20 + 2 * n, np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_image(path: Path, size: tuple[int, int] = (33, 21)) -> Path:
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = *size, "rgb24"
        rgb = np.full((size[1], size[0], 3), (200, 0, 0), np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    return path
