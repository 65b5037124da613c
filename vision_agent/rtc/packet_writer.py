"""Writes the payloads of a stream as RTP packets (RFC 3550 5.1). No I/O, no clock."""

from __future__ import annotations

from struct import Struct

_HEADER = Struct("!BBHII")


class PacketWriter:
    """Numbers the packets of a stream; the parts that all packets share are built once.

    Args:
        payload_type: the payload type of all packets.
        ssrc: the stream's synchronization source.
        sequence_number: the number of the first packet.
        timestamp: the RTP timestamp at tick 0.
        extensions: the extension block of each packet, profile and length included, or nothing.

    Attributes:
        sequence_number: the number of the newest packet.
        timestamp: the RTP timestamp of the newest packet.
    """

    def __init__(
        self,
        payload_type: int,
        ssrc: int,
        sequence_number: int,
        timestamp: int,
        extensions: bytes = b"",
    ) -> None:
        self._first = 0x90 if extensions else 0x80
        self._second = 0x80 | payload_type  # the marker bit is set, as aiortc sets it
        self._ssrc = ssrc
        self._origin = timestamp
        self._extensions = extensions
        self.sequence_number = (sequence_number - 1) & 0xFFFF
        self.timestamp = timestamp

    def write(self, payload: bytes, ticks: int) -> bytes:
        """The next packet; its payload is to be played `ticks` of the RTP clock after tick 0."""
        self.sequence_number = (self.sequence_number + 1) & 0xFFFF
        self.timestamp = (self._origin + ticks) & 0xFFFFFFFF
        header = _HEADER.pack(
            self._first, self._second, self.sequence_number, self.timestamp, self._ssrc
        )
        return header + self._extensions + payload
