"""Parses the parts of an RTP packet that a receiver needs (RFC 3550 5.1). No I/O, no clock."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

_HEADER = Struct("!BBHII")
_VERSION = 2


class MediaPacket(NamedTuple):
    """The fields of an RTP packet, named as aiortc names them, without its header extensions.

    aiortc's own parser makes an object of every extension, which a receiver does not need.
    """

    payload_type: int
    marker: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> MediaPacket:
        """Parses a decrypted packet.

        Raises:
            ValueError: the packet is malformed.
        """
        end = len(data)
        if end < _HEADER.size:
            raise ValueError("shorter than its header")
        first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != _VERSION:
            raise ValueError("not version 2")
        start = _HEADER.size + 4 * (first & 0x0F)
        if first & 0x10:
            if end < start + 4:
                raise ValueError("its extension is truncated")
            start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
        if first & 0x20:
            if not data[-1]:
                raise ValueError("no padding where there should be some")
            end -= data[-1]
        if start > end:
            raise ValueError("truncated")
        payload = data[start:end]
        return cls(second & 0x7F, second >> 7, sequence_number, timestamp, ssrc, payload)


def vp8_data(payload: bytes) -> bytes:
    """The data after the payload descriptor of VP8 (RFC 7741 4.2).

    Raises:
        ValueError: the descriptor is truncated.
    """
    start = 1
    try:
        if payload[0] & 0x80:
            present = payload[1]
            start = 2
            if present & 0x80:
                start += 2 if payload[2] & 0x80 else 1
            if present & 0x40:
                start += 1
            if present & 0x30:
                start += 1
    except IndexError:
        raise ValueError("truncated") from None
    if start > len(payload):
        raise ValueError("truncated")
    return payload[start:]
