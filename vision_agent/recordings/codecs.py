"""How encoded packets, as they come by RTP, are described and stored in Matroska. Pure.

Nothing is decoded: Matroska wants the parameter sets of H.264 in a header and its NAL units with
their lengths in place of start codes (ISO/IEC 14496-15). All other packets stay as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from vision_agent.recordings import ebml

VIDEO, AUDIO = 1, 2
_SEEK_PRE_ROLL_NS = 80_000_000
_SPS, _PPS, _DELIMITER = 7, 8, 9
_SLICES = range(1, 6)
_MAX_PRIVATE_BYTES = 1_500
"""Parameter sets have some fifty bytes. The header has room for all tracks of a call with this
many."""

_WAVE_TAGS = {"PCMU": (7, 8000, 8), "PCMA": (6, 8000, 8), "G722": (0x028F, 16_000, 4)}
"""The format tag of a telephone codec, its sampling rate and its bits a sample."""


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """The description of a codec in a track's header.

    Attributes:
        kind: `VIDEO` or `AUDIO`.
        codec_id: Matroska's name of the codec.
        private: The codec's private data, such as parameter sets.
        details: The elements about size or sound.
    """

    kind: int
    codec_id: str
    private: bytes
    details: bytes


def track_format(codec: str, data: bytes, size: tuple[int, int] | None) -> TrackFormat | None:
    """The format of a track that begins with this packet.

    Args:
        codec: RTP's name of the codec.
        data: The packet; of video, a key frame.
        size: Width and height of a video, in pixels.

    Returns:
        None for a codec that is not recorded, and if the packet lacks the parameter sets.
    """
    codec = codec.upper()
    if codec == "OPUS":
        # Each packet may be mono or stereo, whatever the first is (RFC 6716 2.1.2). A decoder of
        # two channels plays mono on both; one of a single channel mixes stereo down.
        head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
        return TrackFormat(AUDIO, "A_OPUS", head, _sound(48_000, 2))
    if codec in _WAVE_TAGS:
        tag, rate_hz, bits = _WAVE_TAGS[codec]
        wave = struct.pack("<HHIIHHH", tag, 1, rate_hz, 8000, 1, bits, 0)
        return TrackFormat(AUDIO, "A_MS/ACM", wave, _sound(rate_hz, 1))
    if size is None:
        return None
    picture = ebml.element(0xE0, ebml.unsigned(0xB0, size[0]), ebml.unsigned(0xBA, size[1]))
    if codec == "VP8":
        return TrackFormat(VIDEO, "V_VP8", b"", picture)
    if codec == "H264" and (private := _avc_configuration(data)):
        return TrackFormat(VIDEO, "V_MPEG4/ISO/AVC", private, picture)
    return None


def stored(codec: str, data: bytes, key: bool) -> bytes:
    """A packet as Matroska stores it; empty if it holds no slice of a frame.

    Only a key frame of H.264 begins a sequence. Parameter sets that come with another frame, which
    may claim any size, are left out.
    """
    if codec.upper() != "H264":
        return data
    units = list(_units(data))
    if all(unit[0] & 0x1F not in _SLICES for unit in units):
        return b""
    without = (_DELIMITER,) if key else (_DELIMITER, _SPS)
    return b"".join(len(unit).to_bytes(4) + unit for unit in units if unit[0] & 0x1F not in without)


def _sound(rate_hz: int, channels: int) -> bytes:
    rate = ebml.element(0xB5, struct.pack(">d", rate_hz))
    return ebml.element(0xE1, rate, ebml.unsigned(0x9F, channels))


def seek_pre_roll(codec_id: str) -> bytes:
    """How much sound a decoder needs before the place to play from."""
    return ebml.unsigned(0x56BB, _SEEK_PRE_ROLL_NS) if codec_id == "A_OPUS" else b""


def _units(data: bytes) -> Iterator[bytes]:
    """The NAL units of a frame in Annex B's form."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        end = data.find(b"\0\0\1", at + 3)
        unit = data[at + 3 : end if end >= 0 else len(data)].rstrip(b"\0")
        if unit:
            yield unit
        at = end


def _avc_configuration(data: bytes) -> bytes:
    """The AVCDecoderConfigurationRecord of a key frame; empty without its parameter sets."""
    sets: dict[int, list[bytes]] = {_SPS: [], _PPS: []}
    for unit in _units(data):
        found = sets.get(unit[0] & 0x1F)
        if found is not None and unit not in found and len(found) < 16 and len(unit) < 1000:
            found.append(unit)
    if not sets[_SPS] or not sets[_PPS] or len(sets[_SPS][0]) < 4:
        return b""
    private = b"".join(
        (
            b"\x01" + sets[_SPS][0][1:4] + b"\xff",
            bytes([0xE0 | len(sets[_SPS])]),
            *(len(unit).to_bytes(2) + unit for unit in sets[_SPS]),
            bytes([len(sets[_PPS])]),
            *(len(unit).to_bytes(2) + unit for unit in sets[_PPS]),
        )
    )
    return private if len(private) <= _MAX_PRIVATE_BYTES else b""
