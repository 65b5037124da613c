"""The queues between a receiver's jitter buffer and its decoder, in place of aiortc's.

aiortc puts every encoded frame on an unbounded queue. The receiver's decoder thread takes it from
there, decodes it and sends it back to the event loop. For audio, the two changes of thread cost
more than the decoding (0.24 of 0.42 ms a packet, measured). For video, nearly all of the decoding
is unwanted. And closing joins the thread on the event loop, however many frames wait (8.7 s with
137 video frames). The classes here take the place of that queue, with the same `put` and `get`.
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
from vision_agent.rtc.frame_sampler import FrameSampler, is_key_frame
from vision_agent.rtc.frame_size import UNREADABLE, FrameSize, frame_size
from vision_agent.rtc.h264_parameter_sets import ParameterSets
from vision_agent.rtc.opus_decoder import Sound

logger = logging.getLogger(__name__)

# Audio arrives in real time, and somewhat faster after a stall. A sender that sends more keeps the
# event loop busy.
MAX_SOUND_SPEED = 2.0
SOUND_BURST_S = 5.0
MAX_AUDIO_PACKETS_PER_S = 400  # of 2.5 ms, the shortest that Opus has
# Fifteen frames of 720p a second, or two of the largest size.
MAX_PIXELS_PER_S = 20e6
PIXELS_BURST = 40e6
LEAST_PIXELS = 1.3e6  # a frame counts as at least this many: a tiny one has a cost too
MAX_DECODED_AUDIO = 100  # frames of a track that nobody reads: 2 s, the oldest are dropped
MAX_ENCODED_VIDEO = 4  # frames before the decoder; beyond, all are dropped until a key frame comes


class Decoder(Protocol):
    """aiortc's `codecs.base.Decoder`."""

    def decode(self, encoded_frame: Any) -> list[MediaFrame] | list[Sound]:
        """Decodes one encoded frame (`data`, `timestamp`)."""


class PacketTap(Protocol):
    """Receives the encoded packets and frames that arrive on a track."""

    def sound(self, codec: str, data: bytes, ticks: int, now_s: float) -> None:
        """Receives a packet of sound: its codec's RTP name, payload, timestamp and arrival.

        The timestamp does not wrap around; the arrival time is monotonic.
        """

    def video(
        self, codec: str, data: bytes, ticks: int, now_s: float, *, key: bool, after_loss: bool
    ) -> bool:
        """Receives a whole video frame; returns whether a key frame is to be requested.

        Args:
            codec: "VP8" or "H264" (Annex B).
            data: The frame.
            ticks: Its timestamp, 90 kHz.
            now_s: Its arrival.
            key: Whether it is a key frame.
            after_loss: Whether a frame before it was lost.
        """


class AudioDecoderQueue:
    """Decodes each packet on arrival, on the event loop (about 0.05 ms).

    Args:
        track_queue: where decoded frames wait while no sink is set.
        make_decoder: makes a decoder for an aiortc codec.

    Attributes:
        sink: called with each decoded frame.
        sink_error: the exception that the sink raised; it is called no more after that.
        tap: is shown each packet.
        undecodable: how many packets could not be decoded.
        dropped: how many packets and frames were dropped.
    """

    def __init__(
        self,
        track_queue: asyncio.Queue[MediaFrame | Sound | None],
        make_decoder: Callable[[Any], Decoder],
    ) -> None:
        self._track_queue = track_queue
        self._make_decoder = make_decoder
        self._decoder: Decoder | None = None
        self._codec: Any = None
        self._ended = threading.Event()
        self.sink: Callable[[MediaFrame | Sound], None] | None = None
        self.sink_error: BaseException | None = None
        self.tap: PacketTap | None = None
        self._packets = Budget(MAX_AUDIO_PACKETS_PER_S, MAX_AUDIO_PACKETS_PER_S)
        self._sound = Budget(MAX_SOUND_SPEED, SOUND_BURST_S)
        self.undecodable = 0
        self.dropped = 0

    def put(self, task: tuple[Any, Any] | None, now_s: float | None = None) -> None:
        """Decodes a frame, given as (codec, frame); None ends the queue. On the event loop."""
        if task is None:
            self._ended.set()
            return
        if now_s is None:
            now_s = time.monotonic()
        codec, encoded = task
        if not self._packets.take(now_s):
            self.dropped += 1
            return
        if self.tap is not None:
            self.tap.sound(codec.name, encoded.data, encoded.timestamp, now_s)
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
        """Blocks the receiver's decoder thread, which has no work, until the queue has ended."""
        self._ended.wait()

    def clear(self) -> None:
        """Does nothing, because no frame waits here: both queues have the same interface."""

    def _hand_over(self, frame: MediaFrame | Sound) -> None:
        if self.sink is not None:
            try:
                self.sink(frame)
            except Exception as error:  # kept in `sink_error`; the track's reader raises it
                # Raised here, it would only be logged by the receiver, as a packet that it could
                # not handle.
                self.sink, self.sink_error = None, error
                self._track_queue.put_nowait(None)
            return
        if self._track_queue.qsize() >= MAX_DECODED_AUDIO:
            self._track_queue.get_nowait()
            self.dropped += 1
        self._track_queue.put_nowait(frame)


class VideoDecoderQueue:
    """Lets through to the decoder thread only the frames that its sampler wants.

    Without a sampler it lets nothing through, so a track that nobody watches costs no decoding.

    Args:
        ask_for_key_frame: makes the receiver send a PLI with the next packet that arrives.

    Attributes:
        sampler: decides which frames are decoded.
        tap: is shown each frame, decoded or not.
        parameter_sets: completes the key frames of H.264.
        on_arrival: called when a frame has arrived, wanted or not.
        has_arrived: whether any frame has arrived.
        on_refused: called with the size of each frame that is too small or too large to decode.
        dropped: how many wanted frames were dropped.
        undecodable: how many wanted frames had an unreadable size.
    """

    def __init__(self, ask_for_key_frame: Callable[[], None]) -> None:
        self._ask_for_key_frame = ask_for_key_frame
        self._waiting: queue.Queue[tuple[Any, Any] | None] = queue.Queue()
        self._pixels = Budget(MAX_PIXELS_PER_S, PIXELS_BURST)
        self._size = FrameSize(0, 0)
        self.sampler: FrameSampler | None = None
        self.tap: PacketTap | None = None
        self.parameter_sets = ParameterSets()
        self.has_arrived = False
        self.on_arrival: Callable[[], None] | None = None
        self.on_refused: Callable[[FrameSize], None] | None = None
        self.dropped = 0
        self.undecodable = 0

    def put(self, task: tuple[Any, Any] | None, now_s: float | None = None) -> None:
        """Queues a frame, given as (codec, frame), if it is wanted; None ends the queue.

        Called on the event loop.
        """
        if task is None:
            self.clear()
            self._waiting.put(None)
            return
        if now_s is None:
            now_s = time.monotonic()
        self.has_arrived = True
        if self.on_arrival is not None:
            self.on_arrival()
        sampler, tap = self.sampler, self.tap
        if sampler is None and tap is None:
            return
        codec, encoded = task
        key = is_key_frame(codec.name, encoded.data)
        if codec.name == "H264":
            encoded.data = self.parameter_sets.completed(encoded.data, key)
        after_loss = getattr(encoded, "after_loss", False)
        if tap is not None and tap.video(
            codec.name, encoded.data, encoded.timestamp, now_s, key=key, after_loss=after_loss
        ):
            self._ask_for_key_frame()
        if sampler is None:
            return
        if sampler.wants(key, encoded.timestamp, after_loss, now_s):
            if not self._affordable(frame_size(codec.name, encoded.data), now_s):
                sampler.lost()
            elif self._waiting.qsize() >= MAX_ENCODED_VIDEO:
                self.clear()
                sampler.lost()
                self._ask_for_key_frame()
            else:
                self._waiting.put((codec, encoded))
        elif sampler.needs_key_frame:
            self._ask_for_key_frame()

    def _affordable(self, size: FrameSize | None, now_s: float) -> bool:
        """Whether a frame's size and the pixels decoded recently allow it to be decoded."""
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
        """The next frame to decode. Called on the receiver's decoder thread."""
        return self._waiting.get()

    def clear(self) -> None:
        """Drops the frames that wait, so that the decoder thread can be joined at once."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return
            self.dropped += 1


def _seconds(frame: MediaFrame | Sound) -> float:
    return frame.samples / frame.sample_rate if isinstance(frame, Sound | av.AudioFrame) else 0.0
