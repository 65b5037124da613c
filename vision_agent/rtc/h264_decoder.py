"""Decodes H.264, each key frame on arrival, even in streams with reordered frames.

A stream with B-frames (Main and higher profiles) is sent in decoding order, and a decoder returns a
frame only when no other can precede it: usually two frames later. If only key frames are decoded,
about one a second, that is two seconds late.
"""

from __future__ import annotations

from fractions import Fraction

from av import CodecContext, Packet, VideoCodecContext
from av.frame import Frame as MediaFrame

from vision_agent.rtc.frame_sampler import CLOCK_HZ, is_key_frame
from vision_agent.rtc.frame_size import MAX_AREA_PX
from vision_agent.rtc.own.aiortc.jitterbuffer import JitterFrame

_TIME_BASE = Fraction(1, CLOCK_HZ)


class PromptH264Decoder:
    """A decoder of one stream."""

    def __init__(self) -> None:
        self._codec = _new_codec()

    def decode(self, encoded_frame: JitterFrame) -> list[MediaFrame]:
        """Decodes a frame (Annex B).

        Returns:
            The frames that are ready. A key frame may be returned again by a later call.

        Raises:
            av.FFmpegError: the frame could not be decoded.
        """
        frames: list[MediaFrame] = [*self._codec.decode(_packet(encoded_frame))]
        key = is_key_frame("H264", encoded_frame.data)
        if key and all(frame.pts != encoded_frame.timestamp for frame in frames):
            alone = _new_codec()
            frames += [*alone.decode(_packet(encoded_frame)), *alone.decode(None)]
        return frames


def _new_codec() -> VideoCodecContext:
    codec = CodecContext.create("h264", "r")
    assert isinstance(codec, VideoCodecContext)
    # Needed besides `frame_size`, because FFmpeg may read a broken parameter set differently.
    codec.options = {"max_pixels": str(MAX_AREA_PX)}
    return codec


def _packet(encoded_frame: JitterFrame) -> Packet:  # type: ignore[type-arg]
    packet = Packet(encoded_frame.data)
    packet.pts = encoded_frame.timestamp
    packet.time_base = _TIME_BASE
    return packet
