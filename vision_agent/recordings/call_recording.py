"""Writes one recorded call, in a thread of its own, so that a slow disk delays no media."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from vision_agent.recordings import folder as folders
from vision_agent.recordings.captions import HEADER, CallCaptions
from vision_agent.recordings.lines import (
    CallLine,
    EndedLine,
    FrameLine,
    HeaderLine,
    NoticeLine,
    Source,
    SpokenLine,
    written,
    written_message,
)
from vision_agent.recordings.matroska import MatroskaFile
from vision_agent.recordings.media_writer import MediaWriter, RecordedPacket
from vision_agent.recordings.recorded_call import (
    CAPTIONS_FILE,
    FRAMES_FOLDER,
    LINES_FILE,
    MEDIA_FILE,
)

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5
"""With `timeline.SETTLES_S`, what a killed server loses of a call."""

CHECK_DISK_S = 2.0
MAX_WAITING_BYTES = 8_000_000
"""Packets and frames that wait for a slow disk; more are dropped and counted."""

MAX_WAITING = 20_000
MAX_FRAMES = 20_000

Failure = Literal["disk_full", "disk", "limit", "other"]


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """How much one recording may be.

    Attributes:
        folder: Where recordings are kept.
        max_s: Its length; 0 for no limit.
        max_bytes: Its size; 0 for no limit.
        min_free_bytes: What it leaves free on the disk; None: a twentieth of it, 1 GB at most.
    """

    folder: Path
    max_s: float = 7_200.0
    max_bytes: int = 4_000_000_000
    min_free_bytes: int | None = None


class _EndsEarly(Exception):
    """The recording ends before the call does; the text says why, without a full stop."""

    def __init__(self, kind: Failure, why: str) -> None:
        super().__init__(why)
        self.kind: Failure = kind


class CallRecording:
    """Records one call. Its methods are called on the event loop and do no I/O.

    Args:
        header: The first line; `at_ms` is 0, `started` is filled in.
        limits: Where and how much.
        on_began: Called on the event loop with the folder, once it is there.
        on_over: Called on the event loop if the recording ends before the call: with the kind of
            the failure, and why as a sentence without a full stop.

    Attributes:
        dropped: How many packets and frames were dropped because the disk was too slow.
        size: How many bytes were written.
        folder: The folder, once it is there.
    """

    def __init__(
        self,
        header: HeaderLine,
        limits: RecordingLimits,
        *,
        on_began: Callable[[Path], None],
        on_over: Callable[[Failure, str], None],
    ) -> None:
        self._limits = limits
        self._began = datetime.now(UTC)
        self._zero_s = time.monotonic()
        started = self._began.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._header = header.model_copy(update={"at_ms": 0, "started": started})
        self._on_began, self._on_over = on_began, on_over
        self._loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        self._waiting: deque[RecordedPacket | str | tuple[FrameLine, bytes]] = deque()
        self._captions_waiting: deque[str] = deque()
        self._captions = CallCaptions()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = self._over = False
        self._frames = 0
        self.dropped = self.size = 0
        self.folder: Path | None = None
        # A timer of the event loop wakes the thread, which so needs no clock of its own.
        self._timer = self._loop.call_later(WRITE_EVERY_S, self._write_soon)
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    # On the event loop

    @property
    def over(self) -> bool:
        """Whether nothing more is taken."""
        return self._over

    def now_s(self, at_s: float | None = None) -> float:
        """Seconds of the recording now, or at a monotonic time."""
        return max(0.0, (time.monotonic() if at_s is None else at_s) - self._zero_s)

    @property
    def now_ms(self) -> int:
        """The same in milliseconds, for a line."""
        return round(1000 * self.now_s())

    def media(self, packet: RecordedPacket) -> bool:
        """Take a packet; whether there was room for it."""
        return self._put(packet, len(packet.data))

    def line(self, line: CallLine) -> None:
        """Take a line; one that was said becomes a caption too."""
        if isinstance(line, SpokenLine):
            name = "Caller" if line.who == "user" else line.author or "Agent"
            said = self._captions.said(line.who, name, line.text, line.at_ms, typed=line.typed)
            self._caption(said)
        self._write_line(written(line))

    def message(self, kind: Literal["received", "sent"], message: str) -> None:
        """Take a message of the data channel, which is JSON."""
        self._write_line(written_message(kind, self.now_ms, message))

    def frame(self, source: Source, jpeg: bytes, width: int, height: int) -> None:
        """Take a picture that the model is given."""
        name = ""
        if self._frames < MAX_FRAMES and self._waiting_bytes < MAX_WAITING_BYTES:
            self._frames += 1
            name = f"{FRAMES_FOLDER}/{self._frames:06}.jpg"
        line = FrameLine(
            at_ms=self.now_ms,
            source=source,
            file=name,
            bytes=len(jpeg),
            width=width,
            height=height,
        )
        self._put((line, jpeg if name else b""), len(jpeg))

    def sounds(self, who: Literal["user", "agent"], on: bool) -> None:
        """One side begins or stops to speak."""
        self._caption(self._captions.sounds(who, on, self.now_ms))

    def end(self, reason: str) -> None:
        """The call is over, or is not to be recorded any more."""
        if not self._over:
            self.line(EndedLine(at_ms=self.now_ms, reason=reason))
            self._caption(self._captions.end(self.now_ms))
            self._over = self._ending = True
            self._timer.cancel()
            self._wake.set()

    async def close(self) -> None:
        """Wait until everything is written."""
        await self._closed.wait()

    def _write_soon(self) -> None:
        if not self._over:
            self._wake.set()
            self._timer = self._loop.call_later(WRITE_EVERY_S, self._write_soon)

    def _caption(self, text: str) -> None:
        if text and not self._over:
            self._captions_waiting.append(text)

    def _write_line(self, text: str) -> None:
        self._put(text, len(text))

    def _put(self, item: RecordedPacket | str | tuple[FrameLine, bytes], size: int) -> bool:
        if self._over:
            return False
        with self._lock:
            # A line is worth more than a packet.
            times = 2 if isinstance(item, str) else 1
            if (
                self._waiting_bytes + size > times * MAX_WAITING_BYTES
                or len(self._waiting) >= times * MAX_WAITING
            ):
                self.dropped += 1
                return False
            self._waiting.append(item)
            self._waiting_bytes += size
        return True

    # In the thread

    def _run(self) -> None:
        files: _Files | None = None
        over: _EndsEarly | None = None
        try:
            files = _Files(self._header, self._began, self._limits)
            self.folder = files.folder
            self._tell(lambda: self._on_began(files.folder))
            while not self._ending:
                self._wake.wait()
                self._wake.clear()
                self._write(files)
                files.check(self.now_s())
            self._write(files, ending=True)
            files.finish()
        except _EndsEarly as ends:
            over = ends
        except OSError as error:
            over = _EndsEarly("disk_full" if error.errno in _FULL else "disk", _in_words(error))
        except Exception:  # a bug of ours: the call goes on, and its caller is told
            logger.exception("A call's recording failed.")
            over = _EndsEarly("other", "the recording failed")
        self._over = True
        if files is not None:
            files.close(self.now_ms, over, self.dropped)
            self.size = files.size
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0
        if over is not None:
            kind, why = over.kind, str(over)
            self._tell(lambda: self._on_over(kind, why))
        self._tell(self._closed.set)

    def _write(self, files: _Files, *, ending: bool = False) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            self._waiting_bytes = 0
        lines = []
        for item in waiting:
            if isinstance(item, RecordedPacket):
                files.media.take(item)
            elif isinstance(item, str):
                lines.append(item)
            else:
                line, jpeg = item
                files.keep_frame(line, jpeg)
                lines.append(written(line))
        captions = [self._captions_waiting.popleft() for _ in range(len(self._captions_waiting))]
        files.write_texts(lines, captions)
        files.media.write(self.now_s(), ending=ending)
        self.size = files.size

    def _tell(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(what)


class _Files:
    """The files of one recorded call."""

    def __init__(self, header: HeaderLine, began: datetime, limits: RecordingLimits) -> None:
        self._limits = limits
        self._floor_bytes = folders.floor_bytes(limits.folder, limits.min_free_bytes)
        self._check_disk()
        self._checked_s = 0.0
        name = folders.name_of(header.call_id, began)
        self.folder = folders.make(limits.folder, name)
        self._frames = 0
        self._lines = _TextFile(self.folder / LINES_FILE)
        self._captions = _TextFile(self.folder / CAPTIONS_FILE)
        self._media_file = folders.new_file(self.folder / MEDIA_FILE)
        self.write_texts([written(header)], [HEADER])
        app = f"vision_agent {header.version}"
        self._matroska = MatroskaFile(self._media_file, began, app)
        self.media = MediaWriter(self._matroska)

    @property
    def size(self) -> int:
        """How many bytes were written."""
        return self._frames + self._lines.size + self._captions.size + self._matroska.size

    def write_texts(self, lines: list[str], captions: list[str]) -> None:
        """Write lines and captions."""
        if lines:
            self._lines.append("\n".join([*lines, ""]))
        if captions:
            self._captions.append("".join(captions))

    def keep_frame(self, line: FrameLine, jpeg: bytes) -> None:
        """Write a frame's file, if it is to be kept."""
        if line.file:
            with folders.new_file(self.folder / line.file) as file:
                _write_all(file, jpeg)
            self._frames += len(jpeg)

    def check(self, now_s: float) -> None:
        """End the recording where it has become too much, or the disk too full."""
        limits = self._limits
        if limits.max_s and now_s >= limits.max_s:
            raise _EndsEarly("limit", f"a recording lasts {limits.max_s / 60:.3g} minutes at most")
        if limits.max_bytes and self.size >= limits.max_bytes:
            megabytes = limits.max_bytes // 1_000_000
            raise _EndsEarly("limit", f"a recording has {megabytes} MB at most")
        if now_s - self._checked_s >= CHECK_DISK_S:
            self._checked_s = now_s
            self._check_disk()

    def finish(self) -> None:
        """Write what makes the file of a call that is over easier to play."""
        self._matroska.finish()

    def close(self, at_ms: int, over: _EndsEarly | None, dropped: int) -> None:
        """Close all files; after a failure, say so in them as far as that is possible."""
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
            self.write_texts([written(NoticeLine(at_ms=at_ms, text=text)) for text in notices], [])
        for file in (self._lines, self._captions, self._media_file):
            with contextlib.suppress(OSError):
                file.close()

    def _check_disk(self) -> None:
        if shutil.disk_usage(self._limits.folder).free < self._floor_bytes:
            raise _EndsEarly("disk_full", "the disk is nearly full")


class _TextFile:
    """A file of lines, which ends with a whole one also where the disk is full.

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

    def close(self) -> None:
        """Close it."""
        self._file.close()


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


_FULL = (27, 28, 122)  # EFBIG, ENOSPC, EDQUOT


def _in_words(error: OSError) -> str:
    if error.errno in _FULL:
        return "the disk is full"
    return f"it can't be written: {error.strerror or type(error).__name__}"
