"""Writes the files of one recorded call."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from vision_agent.recordings import folder as folders
from vision_agent.recordings.captions import HEADER
from vision_agent.recordings.captions import moved as captions_moved
from vision_agent.recordings.lines import FrameLine, HeaderLine, NoticeLine, written
from vision_agent.recordings.lines import moved as line_moved
from vision_agent.recordings.matroska import MatroskaFile
from vision_agent.recordings.media_writer import MediaWriter
from vision_agent.recordings.recorded_call import (
    CAPTIONS_FILE,
    LINES_FILE,
    MAX_FILE_BYTES,
    MEDIA_FILE,
)

CHECK_DISK_S = 2.0
TOUCH_EVERY_S = 300.0
"""How often the files of a quiet call are touched: `retention.sweep` goes by the newest file."""

MAX_LINES_BYTES = MAX_FILE_BYTES // 2
"""The bound on `call.jsonl`. A client may send megabytes of messages a second, and a larger file
could not be read."""

_FULL = (27, 28, 122)  # EFBIG, ENOSPC, EDQUOT

Failure = Literal["disk_full", "disk", "limit", "other"]


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """The limits of one recording.

    Attributes:
        folder: The folder of all recordings.
        max_s: The longest recording; 0 for no limit.
        max_bytes: The largest recording; 0 for no limit.
        min_free_bytes: The space that stays free on the disk; None: a twentieth of it, 1 GB at
            most.
    """

    folder: Path
    max_s: float = 7_200.0
    max_bytes: int = 4_000_000_000
    min_free_bytes: int | None = None


class EndsEarly(Exception):
    """The recording ends before the call does; the text says why, without a full stop."""

    def __init__(self, kind: Failure, why: str) -> None:
        super().__init__(why)
        self.kind: Failure = kind

    @classmethod
    def of(cls, error: OSError) -> EndsEarly:
        """The reason of a file that can't be written."""
        if error.errno in _FULL:
            return cls("disk_full", "the disk is full")
        return cls("disk", f"it can't be written: {error.strerror or type(error).__name__}")


class CallFiles:
    """The files of one recorded call. Every method does I/O, and raises `OSError`.

    Args:
        header: The first line.
        began: When the recording began.
        limits: The folder and the limits.
        max_lead_s: See `MediaWriter`.

    Attributes:
        folder: The call's folder.
        media: Writes the sound and the videos.

    Raises:
        EndsEarly: The disk is nearly full; also by `check`.
    """

    def __init__(
        self, header: HeaderLine, began: datetime, limits: RecordingLimits, max_lead_s: float
    ) -> None:
        self._header = header
        self._began = began
        self._has_begun = False
        self._limits = limits
        self._floor_bytes = folders.floor_bytes(limits.folder, limits.min_free_bytes)
        self._check_disk()
        self._checked_s = self._touched_s = 0.0
        name = folders.name_of(header.call_id, began)
        self.folder = folders.make(limits.folder, name)
        with contextlib.ExitStack() as unless_begun:
            # A folder without a header is not a recording, and would never be deleted.
            unless_begun.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._frames = 0
            self._lines = _TextFile(self.folder / LINES_FILE)
            self._captions = _TextFile(self.folder / CAPTIONS_FILE)
            self._media_file = folders.new_file(self.folder / MEDIA_FILE)
            app = f"vision_agent {header.version}"
            self._lines.append(self._first_line())
            self._captions.append(HEADER)
            self._matroska = MatroskaFile(self._media_file, began, app)
            self.media = MediaWriter(self._matroska, max_lead_s)
            unless_begun.pop_all()

    @property
    def size(self) -> int:
        """How many bytes were written."""
        return self._frames + self._lines.size + self._captions.size + self._matroska.size

    def begin(self, now_s: float) -> None:
        """Set the time zero of all files, before anything but their headers is written."""
        if self._has_begun:
            return
        self._has_begun = True
        self.media.begin(now_s)
        if self.media.lead_ms:
            self._began -= timedelta(milliseconds=self.media.lead_ms)
            self._matroska.begin(self._began)
            self._lines.rewrite(self._first_line())

    def write_texts(self, lines: list[str], captions: Sequence[str]) -> None:
        """Write lines and captions."""
        by_ms = self.media.lead_ms
        if lines:
            self._lines.append("\n".join([*(line_moved(each, by_ms) for each in lines), ""]))
        if any(captions):
            self._captions.append(captions_moved("".join(captions), by_ms))

    def keep_frame(self, line: FrameLine, jpeg: bytes) -> None:
        """Write a frame's file, if frames are kept."""
        if line.file:
            with folders.new_file(self.folder / line.file) as file:
                _write_all(file, jpeg)
            self._frames += len(jpeg)

    def check(self, now_s: float) -> None:
        """End the recording if it has reached a limit or the disk is nearly full."""
        limits = self._limits
        if limits.max_s and now_s >= limits.max_s:
            raise EndsEarly("limit", f"a recording lasts {limits.max_s / 60:.3g} minutes at most")
        if limits.max_bytes and self.size >= limits.max_bytes:
            megabytes = limits.max_bytes // 1_000_000
            raise EndsEarly("limit", f"a recording has {megabytes} MB at most")
        if self._lines.size >= MAX_LINES_BYTES:
            megabytes = MAX_LINES_BYTES // 1_000_000
            raise EndsEarly("limit", f"a recording has {megabytes} MB of messages at most")
        if now_s - self._checked_s >= CHECK_DISK_S:
            self._checked_s = now_s
            self._check_disk()
        if now_s - self._touched_s >= TOUCH_EVERY_S:
            self._touched_s = now_s
            with contextlib.suppress(OSError):  # somebody has deleted it
                os.utime(self.folder / LINES_FILE)

    def finish(self) -> None:
        """Write the index of an ended call, so that players can seek."""
        self._matroska.finish()

    def close(
        self, at_ms: int, over: EndsEarly | None, dropped: int, captions: Sequence[str] = ()
    ) -> None:
        """Close all files; after a failure, note it in them as far as possible.

        Args:
            at_ms: The time.
            over: Why the recording ended before the call; None if it did not.
            dropped: How many packets and frames were dropped.
            captions: The remaining captions.
        """
        notices = []
        if dropped:
            notices.append(f"The disk was too slow: {dropped} packets were dropped.")
        if over is not None:
            notices.append(f"The recording ended before the call: {over}.")
        with contextlib.suppress(OSError):
            if over is not None:
                self._matroska.undo()
                self.media.write(at_ms / 1000, ending=True)
                self._matroska.finish()
        with contextlib.suppress(OSError):
            if over is not None:
                self._matroska.undo()
            self.begin(at_ms / 1000)
            lines = [written(NoticeLine(at_ms=at_ms, text=text)) for text in notices]
            self.write_texts(lines, captions)
        for file in (self._lines, self._captions, self._media_file):
            with contextlib.suppress(OSError):
                file.close()

    def _first_line(self) -> str:
        started = self._began.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = self._header.model_copy(update={"at_ms": 0, "started": started})
        return f"{written(line)}\n"

    def _check_disk(self) -> None:
        if shutil.disk_usage(self._limits.folder).free < self._floor_bytes:
            raise EndsEarly("disk_full", "the disk is nearly full")


class _TextFile:
    """A file of lines that ends with a whole line even if the disk is full.

    Attributes:
        size: Its bytes.
    """

    def __init__(self, path: Path) -> None:
        self._file = folders.new_file(path)
        self.size = 0

    def append(self, text: str) -> None:
        """Write lines."""
        data = text.encode(errors="replace")
        try:
            _write_all(self._file, data)
        except OSError:
            self._file.truncate(self.size)
            self._file.seek(self.size)
            raise
        self.size += len(data)

    def rewrite(self, text: str) -> None:
        """Overwrite the first lines with others of the same length."""
        self._file.seek(0)
        _write_all(self._file, text.encode())
        self._file.seek(self.size)

    def close(self) -> None:
        """Close it."""
        self._file.close()


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
