"""Decides which encoded frames are decoded, and which decoded frames are sent. No I/O.

A model receives about one frame a second; a camera sends thirty. Decoding all of them is half of
the cost of a call, so there are two modes:

- All frames are decoded if the sender keeps to a few a second: that is cheap, and such frames are
  sharp.
- From any other sender only key frames are decoded. Each is requested (PLI, RFC 4585 6.3.1) when a
  frame is due.

The frame rate measured on the media clock chooses the mode, not the rate that the sender promised.
"""

from __future__ import annotations

from collections import deque

CLOCK_HZ = 90_000
# Between the two rates the mode stays as it is. At 10 frames a second, decoding all costs about as
# much CPU as decoding key frames only, and key frames cost the sender bandwidth too.
KEY_FRAMES_ABOVE_FPS = 10.0
EVERYTHING_BELOW_FPS = 8.0
MAX_RATE_WINDOW = 10  # intervals
# libwebrtc answers a PLI within a frame or two and ignores more than one per 300 ms.
ASK_AGAIN_S = 0.4
# The media clock has jumped if a timestamp goes far back, or is so far ahead of the previous one.
CLOCK_JUMP_S = 10.0
# A shorter step back is a B-frame, which is sent after the frame that follows it.
REORDERED_S = 1.0


class FrameSampler:
    """Decides about each encoded frame, in order of arrival.

    Args:
        rate_hz: how many frames a second are sent at most, on average, besides those that `look`
            asks for.

    Attributes:
        needs_key_frame: whether the newest decision asks for a key frame.
        skipped: how many frames were not decoded.
    """

    def __init__(self, rate_hz: float = 1.0) -> None:
        self._period = round(CLOCK_HZ / rate_hz)
        self._next_due: int | None = None
        self._looking = False
        self._key_frames_only = False
        self._in_sync = False
        self._stamps: deque[int] = deque(maxlen=MAX_RATE_WINDOW + 1)
        self._asked_at_s: float | None = None
        self._chosen: deque[int] = deque(maxlen=8)
        self.needs_key_frame = False
        self.skipped = 0

    def look(self) -> None:
        """Makes the next frame that can be decoded due, whatever the rate."""
        self._looking = True

    def wants(self, key: bool, timestamp: int, after_loss: bool, now_s: float) -> bool:
        """Decides whether to decode an encoded frame.

        Args:
            key: whether it is a key frame.
            timestamp: its RTP timestamp, unwrapped, 90 kHz.
            after_loss: whether a frame before it was lost.
            now_s: monotonic time; used only to pace the requests for key frames.

        Returns:
            Whether to decode the frame. `needs_key_frame` then says whether to ask for a key frame.
        """
        self._observe(timestamp)
        self._in_sync = key or (self._in_sync and not after_loss)
        due = self._due(timestamp)
        self.needs_key_frame = False
        wanted = self._in_sync and (due or not self._key_frames_only)
        if wanted:
            if due:
                self._choose(timestamp)
        else:
            self.skipped += 1
            self._in_sync = False
            # If all frames are decoded, the decoder needs a key frame even before one is due.
            if due or not self._key_frames_only:
                self._ask(now_s)
        return wanted

    def lost(self) -> None:
        """Notes that a wanted frame did not reach the decoder: a key frame has to come first."""
        self._in_sync = False

    def chosen(self, timestamp: int) -> bool:
        """Whether a decoded frame is to be sent; true once for each chosen timestamp."""
        if timestamp not in self._chosen:
            return False
        self._chosen.remove(timestamp)
        return True

    def sent_besides(self, timestamp: int) -> None:
        """Notes that a frame that was not due was sent: the next one is due a period later."""
        self._looking = False
        self._next_due = timestamp + self._period

    def _observe(self, timestamp: int) -> None:
        if self._stamps:
            step_s = (timestamp - self._stamps[-1]) / CLOCK_HZ
            if -REORDERED_S < step_s < 0:
                return
            if not 0 < step_s < CLOCK_JUMP_S:
                self._stamps.clear()
                self._next_due = None
        self._stamps.append(timestamp)
        if len(self._stamps) < 4:
            return
        fps = CLOCK_HZ * (len(self._stamps) - 1) / (self._stamps[-1] - self._stamps[0])
        if fps > KEY_FRAMES_ABOVE_FPS:
            self._key_frames_only = True
        elif fps < EVERYTHING_BELOW_FPS:
            self._key_frames_only = False

    def _due(self, timestamp: int) -> bool:
        if self._looking or self._next_due is None:
            return True
        # A frame slightly before its time is due if the next one would be later by much more.
        interval = timestamp - self._stamps[-2] if len(self._stamps) > 1 else 0
        return timestamp >= self._next_due - min(self._period // 10, interval // 4)

    def _choose(self, timestamp: int) -> None:
        late = 0 if self._next_due is None else timestamp - self._next_due
        # The due times are kept on a grid. "A period after the last frame" would make one frame
        # every 1.5 s out of a sender's 2 a second as soon as the sender's clock jitters.
        on_grid = not self._looking and late < self._period // 2
        self._next_due = timestamp + self._period - (late if on_grid else 0)
        self._looking = False
        self._chosen.append(timestamp)

    def _ask(self, now_s: float) -> None:
        if self._asked_at_s is None or now_s - self._asked_at_s >= ASK_AGAIN_S:
            self._asked_at_s = now_s
            self.needs_key_frame = True


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without any other.

    Args:
        codec: "VP8" (RFC 6386 9.1: the lowest bit of the first byte is clear) or "H264" (Annex B; a
            key frame holds a NAL unit of type 5). A frame of any other codec counts as a key frame,
            so that it is decoded.
        data: the whole encoded frame.
    """
    name = codec.upper()
    if name == "VP8":
        return bool(data) and not data[0] & 1
    if name == "H264":
        at = data.find(b"\0\0\1")
        while 0 <= at < len(data) - 3:
            nal_type = data[at + 3] & 0x1F
            if nal_type == 5:
                return True
            if 1 <= nal_type < 5:
                return False  # a slice of a frame that is not a key frame
            at = data.find(b"\0\0\1", at + 3)
        return False
    return True
