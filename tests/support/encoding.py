"""Encoded packets of video and sound, for receivers that never decode them."""

from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext


class EncodedFrame(NamedTuple):
    data: bytes
    key: bool


def encoded(
    codec: str, width: int, height: int, frames: int, key_every: int = 30
) -> list[EncodedFrame]:
    """Frames of increasing brightness, by `libvpx` (VP8) or `libx264` (H.264 in Annex B's form)."""
    context = VideoCodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.gop_size = Fraction(1, 30), key_every
    context.thread_count = 1  # with its own choice of threads libvpx spins: ten times the CPU
    if codec == "libx264":
        context.options = {"preset": "ultrafast", "tune": "zerolatency"}
    elif codec == "libvpx":
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    packets = []
    for n in range(frames):
        pixels = np.full((height, width, 3), 5 * n % 250, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
        frame.pts = n
        packets += context.encode(frame)
    packets += context.encode(None)
    return [EncodedFrame(bytes(packet), packet.is_keyframe) for packet in packets]
