import random
import struct
from typing import Any

import pytest
from vision_agent.rtc.own.aiortc.codecs.vpx import vp8_depayload

from vision_agent.rtc.media_packet import MediaPacket, vp8_data
from vision_agent.rtc.own.aiortc.rtp import RtpPacket

FIELDS = ("payload_type", "marker", "sequence_number", "timestamp", "ssrc", "payload")


def fields(packet: Any) -> list[object]:
    return [getattr(packet, field) for field in FIELDS]


def test_a_packet_is_read_as_aiortc_does():
    packet = RtpPacket(96, 1, 65_535, 0xFFFFFFFF, 0xFFFFFFFE, b"payload")
    packet.csrc, packet.padding_size = [1, 2], 5
    assert fields(MediaPacket.parse(packet.serialize())) == fields(packet)


def test_any_bytes_are_read_as_aiortc_does_or_refused_by_both():
    rng = random.Random(3)
    read = refused = 0
    for _ in range(30_000):
        data = bytearray(rng.randbytes(rng.randint(0, 40)))
        if data:
            data[0] = rng.choice([0x80, 0x80 | rng.getrandbits(6), rng.getrandbits(8)])
        if len(data) > 20 and data[0] & 0x10:
            # The extension is padding only: aiortc would parse its values as well.
            start = 12 + 4 * (data[0] & 0x0F)
            data[start:] = struct.pack("!HH", 0xBEDE, rng.randint(0, 3)) + bytes(rng.randint(0, 16))
        try:
            expected = fields(RtpPacket.parse(bytes(data)))
        except ValueError:
            refused += 1
            with pytest.raises(ValueError, match=r"\w"):
                MediaPacket.parse(bytes(data))
        else:
            read += 1
            assert fields(MediaPacket.parse(bytes(data))) == expected
    assert read > 5000
    assert refused > 5000


def test_any_vp8_payload_is_read_as_aiortc_does_or_refused_by_both():
    rng = random.Random(4)
    for _ in range(20_000):
        payload = rng.randbytes(rng.randint(0, 8))
        try:
            expected = vp8_depayload(payload)
        except ValueError:
            with pytest.raises(ValueError, match="truncated"):
                vp8_data(payload)
        else:
            assert vp8_data(payload) == expected
