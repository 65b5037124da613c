"""The caller's camera or screen: hands out, as JPEG, the frames of a track worth sending."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av import VideoFrame

from vision_agent.jpeg import to_jpeg
from vision_agent.rtc.aiortc_patches import decoder_queue_of
from vision_agent.rtc.budget import Budget
from vision_agent.rtc.change_detector import (
    THUMBNAIL_HEIGHT,
    THUMBNAIL_WIDTH,
    ChangeDetector,
    Thumbnail,
)
from vision_agent.rtc.decoder_queues import VideoDecoderQueue
from vision_agent.rtc.frame_sampler import CLOCK_HZ, FrameSampler
from vision_agent.rtc.frame_size import FrameSize
from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError

# Tried in this order until the JPEG is small enough; after the last, the frame is shrunk.
JPEG_QUALITIES = (85, 75, 60, 45)
SHRINK = 0.75
MIN_PX = 64
SENT_BURST = 5  # frames that may be sent together after a stall of this process
# `force_frame` takes a decoded frame that was not sent if it is at most this old. If there is none,
# a sender of two frames a second delivers the next one within 350 ms.
FRESH_S = 0.15


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera frame for the model.

    Attributes:
        jpeg: the JPEG file.
        width: in pixels.
        height: in pixels.
        captured_at: `time.monotonic()` of the frame's arrival.
    """

    jpeg: bytes
    width: int
    height: int
    captured_at: float


def fitting(width: int, height: int, max_px: int) -> tuple[int, int]:
    """The size in which a frame is sent: at most `max_px` on the longer side, never enlarged."""
    scale = min(1.0, max_px / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def frame_to_jpeg(frame: VideoFrame, max_px: int, max_bytes: int) -> tuple[bytes, int, int]:
    """Encodes a frame as a JPEG file of at most `max_bytes`. Blocks for a millisecond or two.

    The file is larger only if the frame's shorter side would have to go below `MIN_PX`.

    Returns:
        The file, its width and its height in pixels.

    Raises:
        ValueError: OpenCV could not encode the frame.
    """
    width, height = fitting(frame.width, frame.height, max_px)
    while True:
        # swscale shrinks and converts in one pass: 2.1 ms for 720p, against 8.9 ms if the frame is
        # shrunk afterwards. By default it would start a thread for each core for every frame.
        pixels = frame.to_ndarray(width=width, height=height, format="bgr24", threads=1)
        jpeg, small_enough = to_jpeg(np.asarray(pixels, np.uint8), max_bytes, JPEG_QUALITIES)
        if small_enough or min(width, height) * SHRINK < MIN_PX:
            return jpeg, width, height
        width, height = max(2, round(width * SHRINK)), max(2, round(height * SHRINK))


def to_thumbnail(
    frame: VideoFrame, size: tuple[int, int] = (THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT)
) -> Thumbnail:
    """Shrinks a frame to the thumbnail that `ChangeDetector` compares. Blocks for 0.5 ms."""
    small = frame.reformat(
        width=size[0],
        height=size[1],
        format="rgb24",
        interpolation="AREA",
        threads=1,
    )
    return np.asarray(small.to_ndarray(), np.uint8)


class Camera:
    """Sends frames of a video track at a rate, and an extra one on request.

    The rate is kept on the media clock (RTP timestamps), so a stall of this process does not change
    which frames are due. Frames are encoded as JPEG one at a time, in the camera's own thread. A
    newer frame replaces one that still waits for the thread.

    Args:
        on_frame: called on the event loop with each frame. An exception it raises ends `run`.
        rate_hz: frames a second, at most, besides those that `force_frame` asks for.
        max_px: the longer side, at most.
        max_bytes: the JPEG file, at most (except for frames that cannot be made that small).
        changes: decides which of the frames that the rate allows are worth sending; None: all.
        on_decoded: called on the event loop with every decoded frame, sent or not, and the
            `time.monotonic()` of its arrival.
        on_arrival: called on the event loop when a frame has arrived, decoded or not.
        on_refused: called on the event loop with the size of each frame that is not decoded because
            of its size.
    """

    def __init__(
        self,
        on_frame: Callable[[Frame], None],
        *,
        rate_hz: float = 1.0,
        max_px: int = 768,
        max_bytes: int = 40_000,
        changes: ChangeDetector | None = None,
        on_decoded: Callable[[VideoFrame, float], None] | None = None,
        on_arrival: Callable[[], None] | None = None,
        on_refused: Callable[[FrameSize], None] | None = None,
    ) -> None:
        self._on_frame = on_frame
        self._on_decoded = on_decoded
        self._on_arrival = on_arrival
        self._on_refused = on_refused
        self._changes = changes if changes is not None and changes.active else None
        self._max_px = max_px
        self._max_bytes = max_bytes
        self._sampler = FrameSampler(rate_hz)
        # The sender controls the media clock, so this budget bounds the rate in real time.
        self._sendable = Budget(2 * rate_hz, SENT_BURST)
        self._gated = False
        self._asked = False
        self._waiting: _Chosen | None = None
        self._unsent: tuple[VideoFrame, int, float] | None = None
        self._converting: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self.sent = 0
        self.replaced = 0

    def force_frame(self) -> None:
        """Sends one fresh frame: the newest if it was not sent and is recent, or else the next."""
        unsent, self._unsent = self._unsent, None
        if unsent is not None and time.monotonic() - unsent[2] <= FRESH_S:
            frame, timestamp, captured_at = unsent
            self._sampler.sent_besides(timestamp)
            self._send(_Chosen(frame, timestamp, captured_at, asked=True))
        else:
            self._asked = True
            self._sampler.look()

    async def run(self, track: MediaStreamTrack) -> None:
        """Reads the track until it ends, then waits for the frame that is being converted.

        Raises:
            Exception: Whatever a conversion or `on_frame` raised; it ends the run at once.
        """
        queue = decoder_queue_of(track)
        self._gated = isinstance(queue, VideoDecoderQueue)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="camera-jpeg")
        if isinstance(queue, VideoDecoderQueue):
            queue.sampler, queue.on_refused = self._sampler, self._on_refused
            queue.on_arrival = self._on_arrival
        failed = self._failed = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(self._read(track), name="camera-read")
        try:
            await asyncio.wait([reading, failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if isinstance(queue, VideoDecoderQueue):
                queue.sampler = queue.on_refused = queue.on_arrival = None
            self._unsent = self._waiting = None
            reading.cancel()
            try:
                await asyncio.wait([reading])
                if self._converting is not None:
                    await asyncio.wait([self._converting])
            finally:  # also if `run` is cancelled a second time: otherwise its thread would stay
                idle = self._converting is None or self._converting.done()
                if self._converting is not None:
                    self._converting.cancel()
                self._executor.shutdown(wait=idle)
        if failed.done():
            failed.result()
        if not reading.cancelled():
            reading.result()

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                self._take(frame, time.monotonic())

    def _take(self, frame: VideoFrame, captured_at: float) -> None:
        timestamp = _media_time(frame, captured_at)
        if not self._gated:
            # Not a peer's track: all frames are decoded, so the sampler only keeps the rate.
            if self._on_arrival is not None:
                self._on_arrival()
            self._sampler.wants(True, timestamp, False, captured_at)
        if self._on_decoded is not None:
            self._on_decoded(frame, captured_at)
        if self._sampler.chosen(timestamp) and self._may_send(captured_at):
            self._unsent = None
            asked, self._asked = self._asked, False
            self._send(_Chosen(frame, timestamp, captured_at, asked))
        else:
            self._unsent = (frame, timestamp, captured_at)

    def _may_send(self, at_s: float) -> bool:
        return self._asked or not self._gated or self._sendable.take(at_s)

    def _send(self, chosen: _Chosen) -> None:
        if self._waiting is not None:
            self.replaced += 1
            chosen.asked |= self._waiting.asked
        self._waiting = chosen
        if self._converting is None or self._converting.done():
            self._converting = asyncio.create_task(self._convert(), name="camera-convert")

    async def _convert(self) -> None:
        try:
            await self._convert_waiting()
        except Exception as error:  # `run` waits for `_failed` and raises it
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)

    async def _convert_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting is not None:
            chosen, self._waiting = self._waiting, None
            if self._changes is not None:
                thumbnail = await loop.run_in_executor(
                    self._executor, to_thumbnail, chosen.frame, self._changes.size
                )
                if not self._changes.wants(thumbnail, chosen.captured_at, asked=chosen.asked):
                    if self._unsent is None:
                        self._unsent = (chosen.frame, chosen.timestamp, chosen.captured_at)
                    continue
            jpeg, width, height = await loop.run_in_executor(
                self._executor, frame_to_jpeg, chosen.frame, self._max_px, self._max_bytes
            )
            self.sent += 1
            self._on_frame(Frame(jpeg, width, height, chosen.captured_at))


@dataclass(slots=True)
class _Chosen:
    """A frame to be sent: its media time, its arrival, and whether `force_frame` asked for it."""

    frame: VideoFrame
    timestamp: int
    captured_at: float
    asked: bool


def _media_time(frame: VideoFrame, captured_at: float) -> int:
    """The frame's media time in units of 1/90000 s."""
    if frame.pts is None:
        return round(captured_at * CLOCK_HZ)
    base = frame.time_base
    if base is None or (base.numerator, base.denominator) == (1, CLOCK_HZ):
        return frame.pts
    return int(frame.pts * Fraction(base.numerator, base.denominator) * CLOCK_HZ)
