"""Which encoded pictures are worth decoding, and which decoded ones worth sending. No I/O.

A model looks about once a second; a camera sends thirty pictures in that time. Decoding them all
costs half of what a call costs, so there are two ways to look:

- A sender that keeps to a few pictures a second is decoded whole: that is cheap, and its pictures
  are sharp.
- From any other sender only key frames are decoded, each asked for (PLI, RFC 4585 6.3.1) when a
  picture is due.

Which of the two is decided by the rate seen on the media clock, not by what the sender promised.
"""

from __future__ import annotations

from collections import deque

CLOCK_HZ = 90_000
# Between the two nothing changes. At 10 pictures a second decoding all costs about as much CPU as
# key frames only, and the key frames cost the sender bandwidth besides.
KEY_FRAMES_ABOVE_FPS = 10.0
EVERYTHING_BELOW_FPS = 8.0
MAX_RATE_WINDOW = 10  # intervals
# libwebrtc answers a PLI within a frame or two and ignores more than one per 300 ms.
ASK_AGAIN_S = 0.4
# Further from the schedule than this, the media clock has jumped.
CLOCK_JUMP_S = 10.0


class FrameGate:
    """Decides for each encoded picture, in order of arrival.

    Args:
        rate_hz: how many pictures a second are sent at most, on average, besides those that
            `look` asks for.
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

    @property
    def key_frames_only(self) -> bool:
        """Whether only key frames are decoded just now."""
        return self._key_frames_only

    def look(self) -> None:
        """The next picture that can be decoded is wanted, whatever the rate says."""
        self._looking = True

    def wants(self, key: bool, timestamp: int, after_loss: bool, now_s: float) -> bool:
        """Decides about one encoded picture.

        Args:
            key: it is a key frame.
            timestamp: its RTP timestamp, unwrapped, 90 kHz.
            after_loss: something before it was lost.
            now_s: monotonic time; used only to pace the requests for key frames.

        Returns:
            Whether to decode it. `needs_key_frame` then says whether to ask for a key frame.
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
            # Out of step in the cheap way, a key frame is needed even if nothing is due yet.
            if due or not self._key_frames_only:
                self._ask(now_s)
        return wanted

    def lost(self) -> None:
        """A picture that was wanted could not be handed to the decoder: wait for a key frame."""
        self._in_sync = False

    def chosen(self, timestamp: int) -> bool:
        """Whether this decoded picture is to be sent. Each is answered yes to once."""
        if timestamp not in self._chosen:
            return False
        self._chosen.remove(timestamp)
        return True

    def sent_besides(self, timestamp: int) -> None:
        """A decoded picture that was not due is sent after all: the next is a period away."""
        self._looking = False
        self._next_due = timestamp + self._period

    def _observe(self, timestamp: int) -> None:
        if self._stamps and not 0 < timestamp - self._stamps[-1] < CLOCK_JUMP_S * CLOCK_HZ:
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
        # A little early is in time, if what comes next is late by much more.
        interval = timestamp - self._stamps[-2] if len(self._stamps) > 1 else 0
        return timestamp >= self._next_due - min(self._period // 10, interval // 4)

    def _choose(self, timestamp: int) -> None:
        late = 0 if self._next_due is None else timestamp - self._next_due
        # Kept on a grid: "a period after the last one" turns a sender's 2 pictures a second into
        # one every 1.5 s as soon as their clock jitters.
        on_grid = not self._looking and late < self._period // 2
        self._next_due = timestamp + self._period - (late if on_grid else 0)
        self._looking = False
        self._chosen.append(timestamp)

    def _ask(self, now_s: float) -> None:
        if self._asked_at_s is None or now_s - self._asked_at_s >= ASK_AGAIN_S:
            self._asked_at_s = now_s
            self.needs_key_frame = True


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded picture can be decoded without any other.

    Args:
        codec: "VP8" (RFC 6386 9.1: the first bit is clear) or "H264" (Annex B; a key frame holds a
            NAL unit of type 5). Any other is taken for a key frame: it is then decoded.
        data: the whole encoded picture.
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
                return False  # a slice that is not one of a key frame
            at = data.find(b"\0\0\1", at + 3)
        return False
    return True
