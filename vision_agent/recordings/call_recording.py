"""Writes one recorded call, in a thread of its own, so that a slow disk delays no media."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from vision_agent.recordings.call_files import CallFiles, EndsEarly, Failure, RecordingLimits
from vision_agent.recordings.captions import CallCaptions
from vision_agent.recordings.lines import (
    CallLine,
    EndedLine,
    FrameLine,
    HeaderLine,
    Source,
    SpokenLine,
    written,
    written_message,
)
from vision_agent.recordings.media_writer import RecordedPacket
from vision_agent.recordings.recorded_call import FRAMES_FOLDER

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5
"""Together with `timeline.SETTLES_S`, the part of a call that a killed server loses."""

BEGINS_AFTER_S = 1.5
"""When the first part of a recording is written: by then its time zero is known."""

MAX_LEAD_S = 8.0
"""The most sound that a caller can have sent before the connection was up:
`rtc.decoder_queues` takes as much in a burst."""

MAX_WAITING_BYTES = 8_000_000
"""Packets and frames that wait for a slow disk; more are dropped and counted."""

MAX_WAITING = 20_000
MAX_FRAMES = 20_000


class CallRecording:
    """Records one call. Its methods are called on the event loop and do no I/O.

    Args:
        header: The first line; `at_ms` is 0, `started` is filled in.
        limits: The folder and the limits.
        on_began: Called on the event loop with the folder, once it exists.
        on_over: Called on the event loop if the recording ends before the call: with the kind of
            the failure, and the reason as a sentence without a full stop.
        with_set_up: Whether it begins with the call. Sound that was held up during the call's
            set-up then arrives in a burst and belongs to the recording, whose time zero is the
            time of its first sample, up to `MAX_LEAD_S` earlier. All methods take and return times
            since the recording began; times are shifted when they are written.

    Attributes:
        dropped: How many packets and frames were dropped because the disk was too slow.
        size: How many bytes were written.
        folder: The folder, once it exists.
    """

    def __init__(
        self,
        header: HeaderLine,
        limits: RecordingLimits,
        *,
        on_began: Callable[[Path], None],
        on_over: Callable[[Failure, str], None],
        with_set_up: bool = False,
    ) -> None:
        self._max_lead_s = MAX_LEAD_S if with_set_up else 0.0
        self._limits = limits
        self._began = datetime.now(UTC)
        self._zero_s = time.monotonic()
        self._header = header
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
        # A timer of the event loop wakes the thread, which therefore needs no clock.
        self._woken_s = 0.0
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
        """Take a packet; returns whether there was room for it."""
        return self._put(packet, len(packet.data))

    def line(self, line: CallLine) -> None:
        """Take a line; a transcript also becomes a caption."""
        if isinstance(line, SpokenLine):
            name = "Caller" if line.who == "user" else line.author or "Agent"
            said = partial(self._captions.said, line.who, name, line.text, line.at_ms)
            self._caption(partial(said, typed=line.typed))
        self._write_line(written(line))

    def message(self, kind: Literal["received", "sent"], message: str) -> None:
        """Take a message of the data channel, which is JSON."""
        self._write_line(written_message(kind, self.now_ms, message))

    def frame(self, source: Source, jpeg: bytes, width: int, height: int) -> None:
        """Take a frame that the model is given."""
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
        self._caption(partial(self._captions.sounds, who, on, self.now_ms))

    def end(self, reason: str) -> None:
        """The call is over, or is not to be recorded any more."""
        if not self._over:
            self.line(EndedLine(at_ms=self.now_ms, reason=reason))
            self._caption(partial(self._captions.end, self.now_ms))
            self._over = self._ending = True
            self._timer.cancel()
            self._wake.set()

    async def close(self) -> None:
        """Wait until everything is written."""
        await self._closed.wait()

    def _write_soon(self) -> None:
        if not self._over:
            self._woken_s = self.now_s()
            self._caption(partial(self._captions.due, self.now_ms))
            self._wake.set()
            self._timer = self._loop.call_later(WRITE_EVERY_S, self._write_soon)

    def _caption(self, make: Callable[[], str]) -> None:
        with self._lock:
            if not self._over and (text := make()):
                self._captions_waiting.append(text)

    def _write_line(self, text: str) -> None:
        self._put(text, len(text))

    def _put(self, item: RecordedPacket | str | tuple[FrameLine, bytes], size: int) -> bool:
        if self._over:
            return False
        with self._lock:
            # Lines may take twice the room that packets may.
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
        files: CallFiles | None = None
        over: EndsEarly | None = None
        try:
            files = CallFiles(self._header, self._began, self._limits, self._max_lead_s)
            self.folder = files.folder
            self._tell(lambda: self._on_began(files.folder))
            while not self._ending:
                self._wake.wait()
                self._wake.clear()
                if self._woken_s >= BEGINS_AFTER_S and not self._ending:
                    self._write(files)
                    files.check(self.now_s())
            self._write(files, ending=True)
            files.finish()
        except EndsEarly as ends:
            over = ends
        except OSError as error:
            over = EndsEarly.of(error)
        except Exception:  # a bug of ours: the call continues, and its caller is told
            logger.exception("A call's recording failed.")
            over = EndsEarly("other", "the recording failed")
        with self._lock:
            self._over = True
            captions = [*self._captions_waiting, self._captions.end(self.now_ms)]
        if files is not None:
            files.close(self.now_ms, over, self.dropped, captions)
            self.size = files.size
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0
        if over is not None:
            kind, why = over.kind, str(over)
            self._tell(lambda: self._on_over(kind, why))
        self._tell(self._closed.set)

    def _write(self, files: CallFiles, *, ending: bool = False) -> None:
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
        # The time at which the thread was woken: later packets are not here yet.
        now_s = self.now_s() if ending else self._woken_s
        files.begin(now_s)
        captions = [self._captions_waiting.popleft() for _ in range(len(self._captions_waiting))]
        files.write_texts(lines, captions)
        files.media.write(now_s, ending=ending)
        self.size = files.size

    def _tell(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(what)
