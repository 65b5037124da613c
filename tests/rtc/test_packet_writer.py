from vision_agent.rtc.own.aiortc.rtp import RtpPacket
from vision_agent.rtc.packet_writer import PacketWriter


def test_numbers_and_times_run_on_past_their_ends():
    writer = PacketWriter(96, 7, sequence_number=65_534, timestamp=0xFFFFFFFF)
    packets = [RtpPacket.parse(writer.write(b"x", 960 * n)) for n in range(3)]
    assert [packet.sequence_number for packet in packets] == [65_534, 65_535, 0]
    assert [packet.timestamp for packet in packets] == [0xFFFFFFFF, 959, 1919]
    assert {(packet.payload_type, packet.ssrc, packet.payload) for packet in packets} == {
        (96, 7, b"x")
    }


def test_each_packet_has_the_extensions():
    block = b"\xbe\xde\0\1" + b"\x10A\0\0"
    packet = PacketWriter(96, 7, 0, 0, block).write(b"payload", 0)
    assert packet[12:] == block + b"payload"
    assert RtpPacket.parse(packet).payload == b"payload"
