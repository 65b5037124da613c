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
from collections.abc import Callable
from typing import Any, Protocol

import av
from av.frame import Frame as MediaFrame

from vision_agent.rtc.frame_gate import FrameGate, is_key_frame

logger = logging.getLogger(__name__)

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
        self._codec_name: str | None = None
        self._ended = threading.Event()
        self.sink: Callable[[MediaFrame], None] | None = None
        self.sink_error: BaseException | None = None
        self.undecodable = 0
        self.dropped = 0

    def put(self, task: tuple[Any, Any] | None) -> None:
        """Decodes a (codec, frame), or ends the lane on None. On the event loop."""
        if task is None:
            self._ended.set()
            return
        codec, encoded = task
        if codec.name != self._codec_name:
            self._decoder, self._codec_name = self._make_decoder(codec), codec.name
        assert self._decoder is not None
        try:
            frames = self._decoder.decode(encoded)
        except av.FFmpegError as error:
            self.undecodable += 1
            if self.undecodable == 1:
                logger.warning("A %s packet could not be decoded: %s", codec.name, error)
            return
        for frame in frames:
            self._hand_over(frame)

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
    """

    def __init__(self, ask_for_key_frame: Callable[[], None]) -> None:
        self._ask_for_key_frame = ask_for_key_frame
        self._waiting: queue.Queue[tuple[Any, Any] | None] = queue.Queue()
        self.gate: FrameGate | None = None
        self.dropped = 0

    def put(self, task: tuple[Any, Any] | None, now_s: float | None = None) -> None:
        """Takes a (codec, frame) if it is wanted, or ends the lane on None. On the event loop."""
        if task is None:
            self.clear()
            self._waiting.put(None)
            return
        gate = self.gate
        if gate is None:
            return
        if now_s is None:
            now_s = asyncio.get_running_loop().time()
        codec, first = task
        for encoded in getattr(first, "unfolded", lambda: [first])():
            key = is_key_frame(codec.name, encoded.data)
            after_loss = getattr(encoded, "after_loss", False)
            if gate.wants(key, encoded.timestamp, after_loss, now_s):
                if self._waiting.qsize() >= MAX_ENCODED_VIDEO:
                    self.clear()
                    gate.lost()
                    self._ask_for_key_frame()
                else:
                    self._waiting.put((codec, encoded))
            elif gate.needs_key_frame:
                self._ask_for_key_frame()

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
