"""Reads the size that an encoded frame claims, before a decoder sees the frame. No I/O.

A decoder allocates the memory that a frame's header asks for: 340 bytes of VP8 that claim to be
16383x16383 cost 0.9 GB. H.264 states its size in a sequence parameter set (SPS, H.264 7.3.2.1.1),
which may come with any frame; VP8 states it in each key frame (RFC 6386 9.1).
"""

from __future__ import annotations

from typing import NamedTuple

MAX_SIDE_PX = 4096
MAX_AREA_PX = 4096 * 2304
MIN_SIDE_PX = 16
"""The side of a macroblock. Nothing can be seen in a smaller frame."""

_H264_SPS = 7
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


class FrameSize(NamedTuple):
    """The size of a frame in pixels."""

    width: int
    height: int

    @property
    def decodable(self) -> bool:
        """Whether a frame of this size is worth decoding and safe to decode."""
        return (
            min(self) >= MIN_SIDE_PX
            and max(self) <= MAX_SIDE_PX
            and self.width * self.height <= MAX_AREA_PX
        )

    def refusal(self, source: str = "camera") -> str:
        """The sentences for the caller about a frame of a source that is not `decodable`."""
        if min(self) < MIN_SIDE_PX:
            return (
                f"Your {source}'s pictures are too small to see anything in ({self.width}x"
                f"{self.height} pixels). Choose a higher resolution."
            )
        return (
            f"Your {source}'s pictures are too large ({self.width}x{self.height} pixels): at most "
            "4096x2304 are looked at. Choose a lower resolution."
        )


UNREADABLE = FrameSize(0, 0)
"""The size of a frame whose header is truncated or contradicts itself."""


def frame_size(codec: str, data: bytes) -> FrameSize | None:
    """The size that an encoded frame asks a decoder for.

    Args:
        codec: "VP8" or "H264" (Annex B). The size of any other codec is not read.
        data: The whole encoded frame.

    Returns:
        The size, the largest if there are several; `UNREADABLE` if a header can't be read; None if
        the frame states no size and so has that of the frame before, or if the codec is another.
    """
    name = codec.upper()
    if name == "VP8":
        return _vp8_size(data)
    if name == "H264":
        sizes = [_sps_size(unit) for unit in _parameter_sets(data)]
        if UNREADABLE in sizes:
            return UNREADABLE
        return max(sizes, key=lambda size: size.width * size.height, default=None)
    return None


def shown_size(codec: str, data: bytes) -> FrameSize | None:
    """The size in which a key frame is shown: of H.264 without what its SPS crops.

    Args:
        codec: As of `frame_size`.
        data: The whole encoded frame.

    Returns:
        None if the frame states no size that can be read.
    """
    name, size = codec.upper(), frame_size(codec, data)
    if name == "H264" and size not in (None, UNREADABLE):
        size = _sps_sizes(_parameter_sets(data)[0])[1]
    return None if size == UNREADABLE else size


def _vp8_size(data: bytes) -> FrameSize | None:
    if data and data[0] & 1:
        return None  # not a key frame
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        return UNREADABLE
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return FrameSize(width & 0x3FFF, height & 0x3FFF)  # the upper two bits are a display scale


def _parameter_sets(data: bytes) -> list[bytes]:
    """The SPS units of a frame, without their start code and header."""
    units = []
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        end = data.find(b"\0\0\1", at + 3)
        if data[at + 3] & 0x1F == _H264_SPS:
            units.append(data[at + 4 : end if end >= 0 else len(data)])
        at = end
    return units


def _sps_size(unit: bytes) -> FrameSize:
    # Cropping is ignored: a decoder allocates and decodes the whole frame and then shows a part.
    return _sps_sizes(unit)[0]


def _sps_sizes(unit: bytes) -> tuple[FrameSize, FrameSize]:
    """The size of a frame, and that of the part which is shown."""
    try:
        return _read_sps(_Bits(unit.replace(b"\0\0\3", b"\0\0")))
    except IndexError:
        return UNREADABLE, UNREADABLE


def _read_sps(bits: _Bits) -> tuple[FrameSize, FrameSize]:
    profile = bits.take(8)
    bits.take(16)  # constraints, level
    bits.unsigned()  # seq_parameter_set_id
    chroma_format = 1
    if profile in _HIGH_PROFILES:
        chroma_format = bits.unsigned()
        if chroma_format == 3:
            bits.take(1)  # separate_colour_plane_flag
        bits.unsigned()  # bit depths
        bits.unsigned()
        bits.take(1)
        if bits.take(1):  # seq_scaling_matrix_present_flag
            for n in range(8 if chroma_format != 3 else 12):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if n < 6 else 64)
    bits.unsigned()  # log2_max_frame_num
    order_type = bits.unsigned()
    if order_type == 0:
        bits.unsigned()
    elif order_type == 1:
        bits.take(1)
        bits.unsigned()
        bits.unsigned()
        cycle = bits.unsigned()
        if cycle > 255:
            return UNREADABLE, UNREADABLE
        for _ in range(cycle):
            bits.unsigned()
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    width, height = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
    fields = 2 - bits.take(1)  # frame_mbs_only_flag
    size = FrameSize(width, height * fields)
    try:
        return size, _cropped(bits, size, fields, chroma_format)
    except IndexError:
        return size, size


def _cropped(bits: _Bits, size: FrameSize, fields: int, chroma_format: int) -> FrameSize:
    """The part of a frame that is shown (7.4.2.1.1), read from where its size ends."""
    bits.take(fields)  # mb_adaptive_frame_field_flag if there are fields, direct_8x8_inference_flag
    if not bits.take(1):
        return size
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    width = size.width - (left + right) * (2 if chroma_format in (1, 2) else 1)
    height = size.height - (top + bottom) * fields * (2 if chroma_format == 1 else 1)
    return FrameSize(width, height) if width > 0 and height > 0 else size


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


class _Bits:
    """Reads bits, the highest first; raises IndexError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def unsigned(self) -> int:
        """Reads an unsigned Exp-Golomb code: ue(v), H.264 9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError("an Exp-Golomb code of more than 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Reads a signed Exp-Golomb code: se(v), H.264 9.1.1."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)
