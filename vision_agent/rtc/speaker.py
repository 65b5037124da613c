"""The agent's voice: PCM in bursts in, one Opus packet every 20 ms out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import Packet

from vision_agent.rtc.opus_encoder import (
    FRAME_BYTES,
    FRAME_MS,
    RTP_TICKS,
    SILENCE,
    TIME_BASE,
    OpusEncoder,
)

logger = logging.getLogger(__name__)

BYTES_PER_MS = 48  # s16le mono 24 kHz
FRAME_S = FRAME_MS / 1000
# A model sends an answer much faster than it is spoken. Two minutes is longer than any it gives;
# beyond, the newest sound is dropped: the answer's beginning is what is being listened to.
MAX_QUEUED_MS = 120_000
# Later than this, the schedule starts anew from now: what was missed is said later, not faster.
# The peer's jitter buffer absorbs less than that without a gap, if what is missing follows soon:
# at double speed, never in a burst.
REANCHOR_AFTER_S = 0.1
MIN_SPACING_S = 0.01
# A gap in the model's stream that is shorter does not end the "speaking".
HANGOVER_FRAMES = 10


class Speaker(MediaStreamTrack):
    """A track that never pauses: 50 packets a second, of silence when there is nothing to say.

    A pause in RTP makes the peer's jitter buffer start anew: the first syllable after it is late
    or lost. All methods are called on the event loop.

    Args:
        on_speaking: called with True at the first voiced packet of an answer, and with False when
            its sound has run out (after 200 ms, or at once if the turn has ended) or is cleared.
    """

    kind = "audio"

    def __init__(self, *, on_speaking: Callable[[bool], None] | None = None) -> None:
        super().__init__()
        self._on_speaking = on_speaking
        self._encoder = OpusEncoder()
        self._pcm = bytearray()
        self._ending = False
        self._speaking = False
        self._paused = False
        self._dry_frames = 0
        self._voiced_bytes = 0
        self._dropped_bytes = 0
        self._deadline_s: float | None = None
        self._sent_at_s = 0.0
        self._received = 0
        self.stalls = 0

    @property
    def queued_ms(self) -> int:
        """How much sound waits to be played."""
        return len(self._pcm) // BYTES_PER_MS

    @property
    def played_ms(self) -> int:
        """How much of the sound written has been sent, in all; silence and padding not counted."""
        return self._voiced_bytes // BYTES_PER_MS

    @property
    def dropped_ms(self) -> int:
        """How much sound was dropped because `MAX_QUEUED_MS` waited already."""
        return self._dropped_bytes // BYTES_PER_MS

    @property
    def speaking(self) -> bool:
        """Whether an answer is being played."""
        return self._speaking

    @property
    def paused(self) -> bool:
        """Whether an answer waits for `resume` or `clear`."""
        return self._paused

    def write(self, pcm: bytes) -> None:
        """Takes more of the answer: s16le mono 24 kHz, of any length, as fast as it comes."""
        room = MAX_QUEUED_MS * BYTES_PER_MS - len(self._pcm)
        if len(pcm) > room:
            if not self._dropped_bytes:
                logger.warning(
                    "An answer is longer than %d s: its end is lost.", MAX_QUEUED_MS // 1000
                )
            # An even count, or every later sample would be made of two halves.
            self._dropped_bytes += len(pcm) - (room & ~1)
            pcm = pcm[: room & ~1]
        self._pcm += pcm
        self._ending = False

    def pause(self) -> None:
        """The caller may be about to interrupt: nothing is played until `resume` or `clear`.

        Silence is sent meanwhile, and the answer still counts as being spoken.
        """
        self._paused = True

    def resume(self) -> None:
        """It was nothing: the answer goes on where it was paused."""
        self._paused = False

    def clear(self) -> int:
        """The caller interrupts: drops what waits. Returns how many ms that were.

        What is still heard is at most the packet on its way.
        """
        dropped_ms = self.queued_ms
        self._pcm.clear()
        self._ending = self._paused = False
        self._stop_speaking()
        return dropped_ms

    def take_over(self, other: Speaker) -> None:
        """Goes on where another one stopped, whose peer connection is replaced by this one's."""
        self._pcm, other._pcm = other._pcm, bytearray()
        self._ending = other._ending
        self._speaking, other._speaking = other._speaking, False
        self._voiced_bytes = other._voiced_bytes
        self._dropped_bytes = other._dropped_bytes

    def flush(self) -> None:
        """No more of this answer comes: its last part of a frame is played, not waited for."""
        self._ending = True
        if not self._pcm:
            self._stop_speaking()

    def stop(self) -> None:
        """Ends the track; nothing is sent any more."""
        super().stop()
        self._encoder.close()

    def due_in_s(self, now_s: float) -> float:
        """How long until the next payload is due, at most 0 if it is; ask once for each."""
        if self._deadline_s is None:
            self._deadline_s = self._sent_at_s = now_s
            return 0.0
        self._deadline_s += FRAME_S
        return max(self._deadline_s, self._sent_at_s + MIN_SPACING_S) - now_s

    def payload(self, now_s: float) -> bytes:
        """The next 20 ms as Opus, when they are due.

        Raises:
            MediaStreamError: the track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        assert self._deadline_s is not None, "it was not asked when this is due"
        self._sent_at_s = now_s
        if now_s - self._deadline_s > REANCHOR_AFTER_S:
            self._deadline_s = now_s
            self.stalls += 1
        return self._encoder.encode(self._next_frame())

    async def recv(self) -> Packet[Any]:
        """The next 20 ms as an Opus packet, when it is due; `BoundedSender` asks for `payload`.

        Raises:
            MediaStreamError: the track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        now_s = time.monotonic()
        wait_s = self.due_in_s(now_s)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            now_s = time.monotonic()
        # Taken after the wait, so that a clear in the meantime leaves nothing behind.
        packet = Packet(self.payload(now_s))
        packet.pts = packet.dts = self._received * RTP_TICKS
        packet.time_base = TIME_BASE
        self._received += 1
        return packet

    def _next_frame(self) -> bytes:
        if self._paused:
            return SILENCE
        if len(self._pcm) >= FRAME_BYTES:
            frame = bytes(self._pcm[:FRAME_BYTES])
            del self._pcm[:FRAME_BYTES]
        elif self._ending and self._pcm:
            frame = bytes(self._pcm)
            self._pcm.clear()
        else:
            self._run_dry()
            return SILENCE
        self._voiced_bytes += len(frame)
        self._dry_frames = 0
        if not self._speaking:
            self._speaking = True
            self._tell(True)
        return frame.ljust(FRAME_BYTES, b"\0")

    def _run_dry(self) -> None:
        if self._speaking:
            self._dry_frames += 1
            if self._ending or self._dry_frames >= HANGOVER_FRAMES:
                self._stop_speaking()

    def _stop_speaking(self) -> None:
        if self._speaking:
            self._speaking = False
            self._dry_frames = 0
            self._tell(False)

    def _tell(self, speaking: bool) -> None:
        if self._on_speaking is not None:
            self._on_speaking(speaking)
