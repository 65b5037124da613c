"""What stands between a receiver's jitter buffer and its decoder.

aiortc puts every encoded frame on an unbounded queue that a thread of the receiver's own takes
from, decodes, and sends back to the event loop. For sound the two changes of thread cost more
than the decoding (0.24 of 0.42 ms a packet, measured); for pictures nearly all of it is work
nobody wants; and closing joins that thread on the event loop, however much it has before it
(8.7 s with 137 pictures waiting). A lane takes that queue's place: it has its `put` and `get`.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import av
from av.frame import Frame as MediaFrame

from vision_agent.rtc.budget import Budget
from vision_agent.rtc.frame_gate import FrameGate, is_key_frame
from vision_agent.rtc.picture_size import UNREADABLE, PictureSize, picture_size

logger = logging.getLogger(__name__)

# Sound is decoded as fast as it is spoken; after a stall, or at a packet of a few milliseconds,
# somewhat faster. More is a sender that keeps the event loop busy.
MAX_SOUND_SPEED = 2.0
SOUND_BURST_S = 5.0
MAX_AUDIO_PACKETS_PER_S = 400  # of 2.5 ms, the shortest that Opus has
# Fifteen pictures a second of 720p, and two of the largest.
MAX_PIXELS_PER_S = 20e6
PIXELS_BURST = 40e6
LEAST_PIXELS = 1.3e6  # what a picture counts as at least: a tiny one is not free either
MAX_DECODED_AUDIO = 100  # frames of a track that nobody reads: 2 s, the oldest go first
MAX_ENCODED_VIDEO = 4  # pictures before the decoder; at more, all go and a key frame is awaited


class Decoder(Protocol):
    """aiortc's `codecs.base.Decoder`."""

    def decode(self, encoded_frame: Any) -> list[MediaFrame]:
        """Decodes one encoded frame (`data`, `timestamp`)."""


class AudioLane:
    """Decodes each packet where it arrives, on the event loop (about 0.05 ms).

    Args:
        track_queue: where decoded frames wait when no sink is set.
        make_decoder: a decoder for an aiortc codec.
    """

    def __init__(
        self, track_queue: asyncio.Queue[MediaFrame | None], make_decoder: Callable[[Any], Decoder]
    ) -> None:
        self._track_queue = track_queue
        self._make_decoder = make_decoder
        self._decoder: Decoder | None = None
        self._codec: Any = None
        self._ended = threading.Event()
        self.sink: Callable[[MediaFrame], None] | None = None
        self.sink_error: BaseException | None = None
        self._packets = Budget(MAX_AUDIO_PACKETS_PER_S, MAX_AUDIO_PACKETS_PER_S)
        self._sound = Budget(MAX_SOUND_SPEED, SOUND_BURST_S)
        self.undecodable = 0
        self.dropped = 0

    def put(self, task: tuple[Any, Any] | None, now_s: float | None = None) -> None:
        """Decodes a (codec, frame), or ends the lane on None. On the event loop."""
        if task is None:
            self._ended.set()
            return
        if now_s is None:
            now_s = time.monotonic()
        codec, encoded = task
        if not self._packets.take(now_s):
            self.dropped += 1
            return
        if codec is not self._codec:
            if self._codec is None or codec.name != self._codec.name:
                self._decoder = self._make_decoder(codec)
            self._codec = codec
        assert self._decoder is not None
        try:
            frames = self._decoder.decode(encoded)
        except av.FFmpegError as error:
            self.undecodable += 1
            if self.undecodable == 1:
                logger.warning("A %s packet could not be decoded: %s", codec.name, error)
            return
        for frame in frames:
            if self._sound.take(now_s, _seconds(frame)):
                self._hand_over(frame)
            else:
                self.dropped += 1

    def get(self) -> None:
        """Blocks the receiver's decoder thread until the lane has ended: it has nothing to do."""
        self._ended.wait()

    def clear(self) -> None:
        """Nothing waits here; kept so that lanes are closed alike."""

    def _hand_over(self, frame: MediaFrame) -> None:
        if self.sink is not None:
            try:
                self.sink(frame)
            except Exception as error:  # raised again where the track is read, in `sink_error`
                # Let through, it would end the receive loop of the whole connection.
                self.sink, self.sink_error = None, error
                self._track_queue.put_nowait(None)
            return
        if self._track_queue.qsize() >= MAX_DECODED_AUDIO:
            self._track_queue.get_nowait()
            self.dropped += 1
        self._track_queue.put_nowait(frame)


class VideoLane:
    """Lets only those pictures through to the decoder thread that its gate wants.

    Without a gate it lets nothing through, so a track that nobody watches costs no decoding.

    Args:
        ask_for_key_frame: makes the receiver send a PLI with the next packet that arrives.

    Attributes:
        on_arrival: told that a picture has arrived, wanted or not.
        has_arrived: whether any has.
        on_refused: told of each picture whose size is not worth decoding, or not safe to.
    """

    def __init__(self, ask_for_key_frame: Callable[[], None]) -> None:
        self._ask_for_key_frame = ask_for_key_frame
        self._waiting: queue.Queue[tuple[Any, Any] | None] = queue.Queue()
        self._pixels = Budget(MAX_PIXELS_PER_S, PIXELS_BURST)
        self._size = PictureSize(0, 0)
        self.gate: FrameGate | None = None
        self.has_arrived = False
        self.on_arrival: Callable[[], None] | None = None
        self.on_refused: Callable[[PictureSize], None] | None = None
        self.dropped = 0
        self.undecodable = 0

    def put(self, task: tuple[Any, Any] | None, now_s: float | None = None) -> None:
        """Takes a (codec, frame) if it is wanted, or ends the lane on None. On the event loop."""
        if task is None:
            self.clear()
            self._waiting.put(None)
            return
        if now_s is None:
            now_s = time.monotonic()
        self.has_arrived = True
        if self.on_arrival is not None:
            self.on_arrival()
        gate = self.gate
        if gate is None:
            return
        codec, encoded = task
        key = is_key_frame(codec.name, encoded.data)
        after_loss = getattr(encoded, "after_loss", False)
        if gate.wants(key, encoded.timestamp, after_loss, now_s):
            if not self._affordable(picture_size(codec.name, encoded.data), now_s):
                gate.lost()
            elif self._waiting.qsize() >= MAX_ENCODED_VIDEO:
                self.clear()
                gate.lost()
                self._ask_for_key_frame()
            else:
                self._waiting.put((codec, encoded))
        elif gate.needs_key_frame:
            self._ask_for_key_frame()

    def _affordable(self, size: PictureSize | None, now_s: float) -> bool:
        """Whether a picture may be decoded: its size, and how much was decoded just now."""
        if size == UNREADABLE:
            self.undecodable += 1
            self._ask_for_key_frame()
            return False
        if size is not None and not size.decodable:
            if self.on_refused is not None:
                self.on_refused(size)
            return False
        self._size = size or self._size
        if self._pixels.take(now_s, max(LEAST_PIXELS, self._size.width * self._size.height)):
            return True
        self.dropped += 1
        return False

    def get(self) -> tuple[Any, Any] | None:
        """The next picture to decode. On the receiver's decoder thread."""
        return self._waiting.get()

    def clear(self) -> None:
        """Forgets the pictures that wait, so that the decoder thread can be joined at once."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return
            self.dropped += 1


def _seconds(frame: MediaFrame) -> float:
    return frame.samples / frame.sample_rate if isinstance(frame, av.AudioFrame) else 0.0
