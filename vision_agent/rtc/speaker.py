"""The agent's voice: takes PCM in bursts and sends one packet every 20 ms."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from av import Packet

from vision_agent.rtc.decoder_queues import PacketTap
from vision_agent.rtc.opus_encoder import (
    FRAME_BYTES,
    FRAME_MS,
    SILENCE,
    OpusEncoder,
)
from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError
from vision_agent.rtc.telephone_encoder import TelephoneEncoder

logger = logging.getLogger(__name__)

BYTES_PER_MS = 48  # s16le mono 24 kHz
FRAME_S = FRAME_MS / 1000
# A model sends an answer much faster than it is spoken. Two minutes is longer than any answer.
# Beyond that the newest audio is dropped, because the caller is listening to the beginning.
MAX_QUEUED_MS = 120_000
# If a packet is later than this, the schedule restarts from now: the missed audio is played later,
# not faster. The peer's jitter buffer absorbs a shorter delay without a gap if the missing packets
# follow soon: they are sent at double speed, never in a burst.
REANCHOR_AFTER_S = 0.1
MIN_SPACING_S = 0.01
# A shorter gap in the model's stream does not end "speaking".
HANGOVER_FRAMES = 10


class Speaker(MediaStreamTrack):
    """A track that never pauses: 50 packets a second, of silence when there is nothing to play.

    A pause in RTP makes the peer's jitter buffer restart, and the first syllable after the pause is
    late or lost. All methods are called on the event loop.

    Args:
        on_speaking: called with True at the first voiced packet of an answer, and with False when
            its audio has run out (after 200 ms, or at once if the turn has ended) or is cleared.

    Attributes:
        tap: is shown each packet that is due.
    """

    kind = "audio"

    def __init__(self, *, on_speaking: Callable[[bool], None] | None = None) -> None:
        super().__init__()
        self._on_speaking = on_speaking
        self._encoder: OpusEncoder | TelephoneEncoder = OpusEncoder()
        self._codec = "opus"
        self.tap: PacketTap | None = None
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

    @property
    def rtp_ticks(self) -> int:
        """The duration of a packet in ticks of the RTP clock."""
        return self._encoder.rtp_ticks

    @property
    def queued_ms(self) -> int:
        """How much audio waits to be played."""
        return len(self._pcm) // BYTES_PER_MS

    @property
    def played_ms(self) -> int:
        """How much of the audio written has been sent in total, without silence and padding."""
        return self._voiced_bytes // BYTES_PER_MS

    @property
    def dropped_ms(self) -> int:
        """How much audio was dropped because `MAX_QUEUED_MS` waited already."""
        return self._dropped_bytes // BYTES_PER_MS

    @property
    def speaking(self) -> bool:
        """Whether an answer is being played."""
        return self._speaking

    @property
    def paused(self) -> bool:
        """Whether an answer waits for `resume` or `clear`."""
        return self._paused

    def use_codec(self, codec: str) -> None:
        """Sets the codec before the first packet: "opus" (the default), or a telephone's."""
        if codec != "opus":
            self._encoder.close()
            self._encoder, self._codec = TelephoneEncoder(codec), codec

    def write(self, pcm: bytes) -> None:
        """Takes the next part of the answer: s16le mono 24 kHz, of any length, at any speed."""
        room = MAX_QUEUED_MS * BYTES_PER_MS - len(self._pcm)
        if len(pcm) > room:
            if not self._dropped_bytes:
                logger.warning(
                    "An answer is longer than %d s: its end is lost.", MAX_QUEUED_MS // 1000
                )
            # An even count of bytes: otherwise every later sample would consist of two halves.
            self._dropped_bytes += len(pcm) - (room & ~1)
            pcm = pcm[: room & ~1]
        self._pcm += pcm
        self._ending = False

    def pause(self) -> None:
        """Pauses the answer until `resume` or `clear`: the caller may be about to interrupt.

        Silence is sent meanwhile, and the answer still counts as being spoken.
        """
        self._paused = True

    def resume(self) -> None:
        """Continues the answer where it was paused: the caller did not interrupt."""
        self._paused = False

    def clear(self) -> int:
        """Drops the audio that waits, because the caller interrupts.

        The peer still plays the packets that have been sent.

        Returns:
            How much audio was dropped, in ms.
        """
        dropped_ms = self.queued_ms
        self._pcm.clear()
        self._ending = self._paused = False
        self._stop_speaking()
        return dropped_ms

    def continue_from(self, other: Speaker) -> None:
        """Continues the audio of the speaker whose peer connection this one's replaces."""
        self._pcm, other._pcm = other._pcm, bytearray()
        self._ending = other._ending
        self._speaking, other._speaking = other._speaking, False
        self._voiced_bytes = other._voiced_bytes
        self._dropped_bytes = other._dropped_bytes

    def flush(self) -> None:
        """Marks the answer as complete: a last, incomplete frame is padded and played."""
        self._ending = True
        if not self._pcm:
            self._stop_speaking()

    def stop(self) -> None:
        """Ends the track; nothing more is sent."""
        super().stop()
        self._encoder.close()

    def due_in_s(self, now_s: float) -> float:
        """The time until the next payload is due, 0 or less if it is; call it once per payload."""
        if self._deadline_s is None:
            self._deadline_s = self._sent_at_s = now_s
            return 0.0
        self._deadline_s += FRAME_S
        return max(self._deadline_s, self._sent_at_s + MIN_SPACING_S) - now_s

    def payload(self, now_s: float) -> bytes:
        """The next 20 ms, encoded; to be called when they are due.

        Raises:
            MediaStreamError: the track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        assert self._deadline_s is not None, "it was not asked when this is due"
        self._sent_at_s = now_s
        if now_s - self._deadline_s > REANCHOR_AFTER_S:
            self._deadline_s = now_s
        payload = self._encoder.encode(self._next_frame())
        if self.tap is not None:
            # RTP timestamps are contiguous even where the schedule restarts; these ticks are not.
            ticks = round(self._deadline_s * self._encoder.rtp_clock_hz)
            self.tap.sound(self._codec, payload, ticks, now_s)
        return payload

    async def recv(self) -> Packet[Any]:
        """Waits until the next 20 ms are due and returns them as a packet.

        `BoundedSender` calls `payload` instead.

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
        # Taken after the wait, so that a `clear` during the wait takes effect.
        packet = Packet(self.payload(now_s))
        packet.pts = packet.dts = self._received * self.rtp_ticks
        packet.time_base = Fraction(1, self._encoder.rtp_clock_hz)
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
