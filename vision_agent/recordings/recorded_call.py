"""Reads a recorded call: its folder, or its `call.mkv`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from vision_agent.recordings.lines import FORMAT, MAX_LINE_CHARS, HeaderLine, Line, read

MEDIA_FILE = "call.mkv"
LINES_FILE = "call.jsonl"
CAPTIONS_FILE = "transcript.vtt"
FRAMES_FOLDER = "frames"

MAX_LINES = 2_000_000
MAX_FILE_BYTES = 2_000_000_000
_MATROSKA, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75"
_MOST_BEFORE_MEDIA_BYTES = 1_000_000
_MAX_LINE_BYTES = 4 * MAX_LINE_CHARS  # of UTF-8


class BadRecordedCall(ValueError):
    """There is no readable recorded call; the text says why."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A recorded call.

    Attributes:
        folder: Its folder.
        header: The first line, which describes the call.
        lines: All lines, the header included, in order of time.
        unread: How many lines could not be read: too long, cut off, or not JSON.
    """

    folder: Path
    header: HeaderLine
    lines: tuple[Line, ...]
    unread: int = 0

    @classmethod
    def open(cls, path: Path | str) -> RecordedCall:
        """Read a recorded call.

        Args:
            path: Its folder, or a file in it, such as `call.mkv`.

        Raises:
            BadRecordedCall: There is none, or it can't be read.
        """
        path = Path(path)
        folder = path if path.is_dir() else path.parent
        file = folder / LINES_FILE
        lines: list[Line] = []
        unread = 0
        try:
            with _regular(file) as found:
                for line in _bounded(found):
                    if line is None:
                        unread += 1
                    elif len(lines) >= MAX_LINES:
                        raise BadRecordedCall(f"{file} has more than {MAX_LINES} lines.")
                    else:
                        lines.append(line)
        except FileNotFoundError:
            raise BadRecordedCall(
                f"{path} is not a recorded call: there is no {LINES_FILE} "
                f"{'in' if path == folder else 'beside'} it."
            ) from None
        except OSError as error:
            raise BadRecordedCall(f"{file} can't be read: {error.strerror}.") from error
        header = lines[0] if lines else None
        if not isinstance(header, HeaderLine):
            raise BadRecordedCall(f"{file} does not begin as a recorded call does.")
        if header.format > FORMAT:
            raise BadRecordedCall(
                f"{file} is of a later version ({header.version or header.format}) than this one."
            )
        return cls(folder, header, tuple(sorted(lines, key=lambda line: line.at_ms)), unread)

    @property
    def media(self) -> Path:
        """The file of both voices and the videos, which may be missing."""
        return self.folder / MEDIA_FILE

    @property
    def has_media(self) -> bool:
        """Whether there is sound or video; the file of a call without both has no cluster."""
        try:
            with self.media.open("rb") as file:
                beginning = file.read(_MOST_BEFORE_MEDIA_BYTES)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # the reader of the file reports what is wrong with it
        is_matroska = _MATROSKA.startswith(beginning[:4])
        return not is_matroska or _CLUSTER in beginning

    def frame(self, file: str) -> Path:
        """The path of a frame that a line names.

        Raises:
            BadRecordedCall: The name leads out of the folder.
        """
        path = self.folder / file
        if "\0" in file or not path.resolve().is_relative_to(self.folder.resolve()):
            raise BadRecordedCall(f"{file!r} is not in {self.folder}.")
        return path

    def between(self, from_ms: int | None, to_ms: int | None) -> tuple[Line, ...]:
        """The lines from a time on and before another one; None for the beginning or the end."""
        begin = 0 if from_ms is None else from_ms
        return tuple(
            line
            for line in self.lines
            if line.at_ms >= begin and (to_ms is None or line.at_ms < to_ms)
        )


def _regular(path: Path) -> BufferedReader:
    """A regular file of bounded size; not a pipe, which would never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BadRecordedCall(f"{path} is not a file.")
    if found.st_size > MAX_FILE_BYTES:
        raise BadRecordedCall(f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    return open(os.fspath(path), "rb")


def _bounded(file: BufferedReader) -> Iterator[Line | None]:
    """The lines of a file, None for each unreadable one; an incomplete last line is ignored."""
    while piece := file.readline(_MAX_LINE_BYTES):
        if not piece.endswith(b"\n"):
            if len(piece) < _MAX_LINE_BYTES:
                return
            while (rest := file.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None
        elif piece.strip():
            # An editor may have put a byte order mark in front.
            yield read(piece.decode(errors="replace").removeprefix("\ufeff"))
