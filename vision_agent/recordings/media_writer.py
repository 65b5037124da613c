"""Writes the packets of a call's tracks into one Matroska file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from vision_agent.recordings.codecs import stored, track_format
from vision_agent.recordings.matroska import Block, MatroskaFile
from vision_agent.recordings.timeline import Timeline

TITLES = ("camera", "screen", "caller", "agent")
"""The tracks, in their order in the file."""

SOUNDS = ("caller", "agent")

_CHOSEN = ("camera", "caller")
"""The tracks that a player plays by default."""


@dataclass(frozen=True, slots=True)
class RecordedPacket:
    """One encoded frame of video, or one packet of sound.

    Attributes:
        title: Its track: one of `TITLES`.
        sender: Distinguishes the senders of a track, each of which has its own timestamps. A later
            sender has a larger number; from then on, packets of earlier ones are left out.
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


class _Placed(NamedTuple):
    """A packet whose time is known, as it is stored."""

    track: _Track
    at_s: float
    number: int
    key: bool
    data: bytes


class _Track:
    """A track of the file, with the timeline of its current sender."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.sender: tuple[int, str] = (-1, "")
        self.timeline: Timeline[RecordedPacket] = Timeline(1)
        self.codec = ""
        self.number: int | None = None
        self.numbers: dict[str, int] = {}
        self.latest_ms = -1


class MediaWriter:
    """Collects packets, and writes them a cluster at a time.

    Args:
        file: The file.
        max_lead_s: How much sound that was sent before the recording began belongs to it, at most:
            in a call that is recorded from its connection on, the sound that was held up during the
            set-up. By default none, and such sound is left out.

    Attributes:
        lead_ms: The time from the file's time zero to the beginning of the recording; see `begin`.
        left_out: How many packets were left out, because they could not be decoded by themselves,
            or the file had no room for their track.
    """

    def __init__(self, file: MatroskaFile, max_lead_s: float = 0.0) -> None:
        self._file = file
        self._max_lead_s = max_lead_s
        self._tracks = {title: _Track(title) for title in TITLES}
        self._placed: list[_Placed] = []
        self._floor_s = -math.inf
        self.lead_ms = 0
        self.left_out = 0

    def take(self, packet: RecordedPacket) -> None:
        """Take a packet."""
        track = self._tracks[packet.title]
        if packet.sender < track.sender[0]:
            return
        if (packet.sender, packet.codec) != track.sender:
            # Another codec may have another clock, and its timestamps are unrelated to the earlier
            # ones.
            self._place(track, track.timeline.end())
            track.sender = packet.sender, packet.codec
            track.timeline = Timeline(
                packet.clock_hz,
                reorders=packet.codec.upper() == "H264",
                not_before_s=max(track.timeline.latest_s, self._floor_s),
            )
        self._place(track, track.timeline.add(packet.ticks, packet.arrived_s, packet))

    def begin(self, now_s: float) -> None:
        """Set the file's time zero, once, before anything is written.

        Sound that arrives in a burst at the beginning was sent earlier; time zero is the time at
        which its first packet was sent.

        Args:
            now_s: Seconds of the recording.
        """
        self._expire(now_s)
        first_s = min((one.at_s for one in self._placed if one.track.title in SOUNDS), default=0.0)
        lead_s = min(max(0.0, -first_s), self._max_lead_s)
        self.lead_ms = round(1000 * lead_s)
        if self._max_lead_s:
            self._floor_s = -lead_s
            for track in self._tracks.values():
                track.timeline.not_before_s = max(track.timeline.not_before_s, -lead_s)

    def write(self, now_s: float, *, ending: bool = False) -> None:
        """Write the packets that have come; `OSError` if they can't be written.

        Args:
            now_s: Seconds of the recording.
            ending: Whether no more packets come.
        """
        self._expire(now_s)
        if ending:
            for track in self._tracks.values():
                self._place(track, track.timeline.end())
        placed, self._placed = self._placed, []
        blocks: list[tuple[int, Block]] = []
        for track, at_s, number, key, data in placed:
            at_ms = max(0, round(1000 * at_s) + self.lead_ms)
            if track.title in SOUNDS:
                at_ms = max(at_ms, track.latest_ms + 1)  # players reject two of the same time
            track.latest_ms = max(track.latest_ms, at_ms)
            blocks.append((track.latest_ms, Block(at_ms, number, key, data)))
        # By time, but the packets of each track in decoding order.
        blocks.sort(key=lambda each: each[0])
        self._file.write_cluster([block for _, block in blocks])

    def _expire(self, now_s: float) -> None:
        for track in self._tracks.values():
            self._place(track, track.timeline.expire(now_s))

    def _place(self, track: _Track, ready: Iterable[tuple[float, RecordedPacket]]) -> None:
        for at_s, packet in ready:
            if at_s < 0 and packet.title in SOUNDS and not self._max_lead_s:
                # The first video frame and the frames that need it are kept.
                continue
            number = self._number(track, packet)
            data = stored(packet.codec, packet.data, packet.key) if number is not None else b""
            if number is None or not data:
                self.left_out += 1
                continue
            self._placed.append(_Placed(track, at_s, number, packet.key, data))

    def _number(self, track: _Track, packet: RecordedPacket) -> int | None:
        """The number of a packet's track, which is added if needed."""
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
