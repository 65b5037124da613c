"""Writes a Matroska file (RFC 9559) that plays at any time while it is being written.

FFmpeg's muxer, and so PyAV's, accepts no track after the header and writes a file's length only at
the end. Here the header has room: a track that begins during a call is added to it in place, and
the length is updated after each cluster. A killed process loses the cluster that was not written
yet. A finished file also has an index (`Cues`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from vision_agent.recordings import ebml
from vision_agent.recordings.codecs import TrackFormat, seek_pre_roll

TRACKS_ROOM = 8_192
"""Bytes of the header for the description of all tracks."""

SEEK_ROOM = 128
CUE_EVERY_MS = 2_000
_MS_PER_TICK = 1_000_000  # nanoseconds
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_INFO, _TRACKS, _CUES = 0x1549A966, 0x1654AE6B, 0x1C53BB6B


class Output(Protocol):
    """A file that is open for writing without a buffer, such as `io.FileIO`."""

    def write(self, data: memoryview, /) -> int:
        """Writes some of the data; returns how many bytes."""

    def seek(self, at: int, /) -> int:
        """Moves to an offset."""

    def truncate(self, size: int, /) -> int:
        """Cuts the file off."""


class Block(NamedTuple):
    """One packet.

    Attributes:
        at_ms: Its time.
        track: The number of its track.
        key: Whether it can be decoded without an earlier one.
        data: The packet as Matroska stores it.
    """

    at_ms: int
    track: int
    key: bool
    data: bytes


class MatroskaFile:
    """Writes one file.

    Args:
        file: A new, empty file.
        began: The file's time zero.
        app: The name and version of the program.

    Attributes:
        size: The bytes written.

    Raises:
        OSError: The file can't be written; also by every method.
    """

    def __init__(self, file: Output, began: datetime, app: str) -> None:
        self._file = file
        self._tracks: dict[int, tuple[int, bytes]] = {}
        self._cues: list[bytes] = []
        self._cued_ms: dict[int, int] = {}
        self._duration_ms = 0
        head = ebml.element(
            0x1A45DFA3,
            ebml.unsigned(0x4286, 1),
            ebml.unsigned(0x42F7, 1),
            ebml.unsigned(0x42F2, 4),
            ebml.unsigned(0x42F3, 8),
            ebml.text(0x4282, "matroska"),
            ebml.unsigned(0x4287, 4),
            ebml.unsigned(0x4285, 2),
        )
        info = ebml.element(
            _INFO,
            ebml.floating(0x4489, 0.0),  # first, so that its place is known
            ebml.unsigned(0x2AD7B1, _MS_PER_TICK),
            _date(began),
            ebml.text(0x4D80, app),
            ebml.text(0x5741, app),
        )
        self._segment_at = len(head) + 4 + 8
        self._info_at = self._segment_at + SEEK_ROOM
        self._duration_at = self._info_at + info.index(b"\x44\x89") + 3
        self._date_at = self._info_at + info.index(_date(began))
        self._tracks_at = self._info_at + len(info)
        segment = bytes.fromhex("18538067") + ebml.UNKNOWN_SIZE
        self._write(head + segment + self._seek_head() + info + ebml.void(TRACKS_ROOM))
        self.size = self._tracks_at + TRACKS_ROOM

    def begin(self, began: datetime) -> None:
        """Change the file's time zero."""
        self._patch(self._date_at, _date(began))

    def add_track(self, title: str, order: int, form: TrackFormat, *, default: bool) -> int | None:
        """Add a track; returns its number, or None if the header has no room for it.

        Args:
            title: Its name.
            order: Its place among the tracks; tracks with equal places keep the order they came in.
            form: Its codec.
            default: Whether a player chooses it by default.
        """
        number = len(self._tracks) + 1
        entry = ebml.element(
            0xAE,
            ebml.unsigned(0xD7, number),
            ebml.unsigned(0x73C5, number),
            ebml.unsigned(0x83, form.kind),
            ebml.unsigned(0x88, int(default)),
            ebml.unsigned(0x9C, 0),
            ebml.text(0x536E, title),
            ebml.text(0x22B59C, "und"),
            ebml.text(0x86, form.codec_id),
            ebml.element(0x63A2, form.private) if form.private else b"",
            seek_pre_roll(form.codec_id),
            form.details,
        )
        entries = sorted([*self._tracks.values(), (order, entry)], key=lambda each: each[0])
        tracks = ebml.element(_TRACKS, *(each for _, each in entries))
        if len(tracks) + 9 > TRACKS_ROOM:
            return None
        self._tracks[number] = (order, entry)
        self._patch(self._tracks_at, tracks + ebml.void(TRACKS_ROOM - len(tracks)))
        return number

    def write_cluster(self, blocks: Sequence[Block]) -> None:
        """Write packets; those of one track are in decoding order."""
        if not blocks:
            return
        begin_ms = blocks[0].at_ms
        parts = [ebml.unsigned(0xE7, begin_ms)]
        for n, block in enumerate(blocks):
            relative_ms = block.at_ms - begin_ms
            if not -32_000 < relative_ms < 32_000:  # of 16 bits
                self._end_cluster(parts)
                self.write_cluster(blocks[n:])
                return
            head = struct.pack(">hB", relative_ms, 0x80 if block.key else 0)
            parts.append(ebml.element(0xA3, ebml.size(block.track), head, block.data))
            self._cue(block)
            self._duration_ms = max(self._duration_ms, block.at_ms + 20)
        self._end_cluster(parts)

    def finish(self) -> None:
        """Write the index and the final sizes."""
        cues_at = None
        if self._cues:
            cues_at, cues = self.size, ebml.element(_CUES, *self._cues)
            self._write(cues)
            self.size += len(cues)
        self._patch(self._segment_at, self._seek_head(cues_at))
        self._patch(self._segment_at - 8, ebml.size(self.size - self._segment_at, 8))

    def undo(self) -> None:
        """After a failure: cut the file back to its last playable state."""
        self._file.truncate(self.size)
        self._file.seek(self.size)

    def _cue(self, block: Block) -> None:
        """Note a place to which a player may seek."""
        last_ms = self._cued_ms.get(block.track, -CUE_EVERY_MS)
        if block.key and block.at_ms - last_ms >= CUE_EVERY_MS:
            self._cued_ms[block.track] = block.at_ms
            position = ebml.unsigned(0xF1, self.size - self._segment_at)
            where = ebml.element(0xB7, ebml.unsigned(0xF7, block.track), position)
            self._cues.append(ebml.element(0xBB, ebml.unsigned(0xB3, block.at_ms), where))

    def _end_cluster(self, parts: Sequence[bytes]) -> None:
        cluster = ebml.element(0x1F43B675, *parts)
        self._write(cluster)
        self.size += len(cluster)
        self._patch(self._duration_at, struct.pack(">d", self._duration_ms))

    def _seek_head(self, cues_at: int | None = None) -> bytes:
        places = [(_INFO, self._info_at), (_TRACKS, self._tracks_at)]
        if cues_at is not None:
            places.append((_CUES, cues_at))
        head = ebml.element(
            0x114D9B74,
            *(
                ebml.element(
                    0x4DBB,
                    ebml.element(0x53AB, name.to_bytes(4)),
                    ebml.unsigned(0x53AC, at - self._segment_at),
                )
                for name, at in places
            ),
        )
        return head + ebml.void(SEEK_ROOM - len(head))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _patch(self, at: int, data: bytes) -> None:
        self._file.seek(at)
        self._write(data)
        self._file.seek(self.size)


def _date(at: datetime) -> bytes:
    return ebml.element(0x4461, struct.pack(">q", int((at - _EPOCH).total_seconds() * 1e9)))
