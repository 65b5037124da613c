"""Puts the packets of a call's tracks into one Matroska file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vision_agent.recordings.codecs import stored, track_format
from vision_agent.recordings.matroska import Block, MatroskaFile
from vision_agent.recordings.timeline import Timeline

TITLES = ("camera", "screen", "caller", "agent")
"""The tracks, in their order in the file."""

SOUNDS = ("caller", "agent")

_CHOSEN = ("camera", "caller")
"""Those that a player plays by itself."""


@dataclass(frozen=True, slots=True)
class RecordedPacket:
    """One encoded frame of video, or one packet of sound.

    Attributes:
        title: Its track: one of `TITLES`.
        sender: Distinguishes the senders of a track: each has timestamps of its own. A later one
            has a larger number, and what comes of an earlier one is left out from then on.
        codec: RTP's name of the codec.
        clock_hz: The clock of the timestamps.
        ticks: Its timestamp; it does not wrap around.
        arrived_s: When it arrived, in seconds of the recording.
        data: The packet; of H.264 in Annex B's form.
        key: Whether it can be decoded without an earlier one.
        size: Width and height, of a key frame.
    """

    title: str
    sender: int
    codec: str
    clock_hz: int
    ticks: int
    arrived_s: float
    data: bytes
    key: bool = True
    size: tuple[int, int] | None = None


class _Track:
    """One track, with the present sender's times."""

    def __init__(self) -> None:
        self.sender = -1
        self.timeline: Timeline[RecordedPacket] = Timeline(1)
        self.codec = ""
        self.number: int | None = None
        self.numbers: dict[str, int] = {}
        self.latest_ms = 0


class MediaWriter:
    """Collects packets, and writes them a cluster at a time.

    Args:
        file: The file.

    Attributes:
        left_out: How many packets were left out, because they could not be decoded by themselves,
            or the file had no room for their track.
    """

    def __init__(self, file: MatroskaFile) -> None:
        self._file = file
        self._tracks = {title: _Track() for title in TITLES}
        self._blocks: list[tuple[int, Block]] = []
        self.left_out = 0

    def take(self, packet: RecordedPacket) -> None:
        """Take a packet."""
        track = self._tracks[packet.title]
        if packet.sender < track.sender:
            return
        if packet.sender > track.sender:
            self._place(track, track.timeline.end())
            track.sender = packet.sender
            track.timeline = Timeline(packet.clock_hz, reorders=packet.codec.upper() == "H264")
        self._place(track, track.timeline.add(packet.ticks, packet.arrived_s, packet))

    def write(self, now_s: float, *, ending: bool = False) -> None:
        """Write what has come; `OSError` if it can't be written.

        Args:
            now_s: Seconds of the recording.
            ending: Whether nothing more comes.
        """
        for track in self._tracks.values():
            held = track.timeline.end() if ending else track.timeline.expire(now_s)
            self._place(track, held)
        # By time, but the packets of each track in the order in which they are decoded.
        self._blocks.sort(key=lambda each: each[0])
        blocks, self._blocks = self._blocks, []
        self._file.write_cluster([block for _, block in blocks])

    def _place(self, track: _Track, ready: Iterable[tuple[float, RecordedPacket]]) -> None:
        for at_s, packet in ready:
            if at_s < 0 and packet.title in SOUNDS:
                # Sent before the recording began, such as what the call's set-up held up. Of
                # video the first frame is kept, and what needs it.
                continue
            number = self._number(track, packet)
            data = stored(packet.codec, packet.data) if number is not None else b""
            if number is None or not data:
                self.left_out += 1
                continue
            at_ms = max(0, round(1000 * at_s))
            track.latest_ms = max(track.latest_ms, at_ms)
            self._blocks.append((track.latest_ms, Block(at_ms, number, packet.key, data)))

    def _number(self, track: _Track, packet: RecordedPacket) -> int | None:
        """The number of a packet's track, which it may begin."""
        if packet.codec == track.codec and track.number is not None:
            return track.number
        number = track.numbers.get(packet.codec)
        if number is None and packet.key:
            form = track_format(packet.codec, packet.data, packet.size)
            if form is not None:
                number = self._file.add_track(
                    packet.title,
                    TITLES.index(packet.title),
                    form,
                    default=packet.title in _CHOSEN and not track.numbers,
                )
        if number is not None:
            track.codec, track.number = packet.codec, number
            track.numbers[packet.codec] = number
        return number
