"""The caller's microphone: takes decoded audio and hands out 20 ms chunks of PCM for a model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from av import AudioFrame
from av.frame import Frame as MediaFrame

from vision_agent.resampler import Resampler
from vision_agent.rtc.aiortc_patches import decoder_queue_of
from vision_agent.rtc.decoder_queues import AudioDecoderQueue
from vision_agent.rtc.opus_decoder import Sound
from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError
from vision_agent.rtc.sound_gap import SoundGap

SAMPLE_RATE_HZ = Sound.sample_rate
CHUNK_BYTES = 640  # 20 ms of s16le mono
BYTES_PER_MS = 32
# A longer gap is not filled: it is a pause of the sender (muted, another device), not a loss.
MAX_FILLED_GAP_MS = 1000
CHECK_S = 0.1
LATE_S = 0.1


class PcmChunks:
    """Cuts decoded audio into chunks and fills losses with silence. No I/O, no clock.

    Attributes:
        filled_ms: how much silence was added.
    """

    def __init__(self) -> None:
        self._resampler: Resampler | None = None
        self._shape: tuple[int, str, str] | None = None
        self._expected_pts: int | None = None
        self._rest = bytearray()
        self._ahead_ms = 0
        self.filled_ms = 0

    def feed(self, frame: AudioFrame | Sound) -> list[bytes]:
        """Takes one decoded frame of any rate and layout.

        Returns:
            Whole chunks of `CHUNK_BYTES`, s16le mono 16 kHz, oldest first.
        """
        self._fill_gap(frame)
        self._rest += self._pcm(frame)
        return self._cut()

    def _pcm(self, frame: AudioFrame | Sound) -> bytes:
        if isinstance(frame, Sound):
            return frame.pcm
        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._resampler is None or shape != self._shape:
            self._shape = shape
            self._resampler = Resampler(
                frame.sample_rate,
                SAMPLE_RATE_HZ,
                from_format=frame.format.name,
                from_layout=frame.layout.name,
                sharp=False,
            )
        # The gap is filled already; the resampler would fail on a jump of the timestamps.
        frame.pts = None
        return self._resampler.resample(frame)

    def silence(self, ms: int) -> list[bytes]:
        """Fills a gap before its length is known; `feed` then fills so much less of the gap.

        Returns:
            Whole chunks, as `feed`.
        """
        self._ahead_ms += ms
        self._fill(ms)
        return self._cut()

    def _cut(self) -> list[bytes]:
        if len(self._rest) < CHUNK_BYTES:
            return []
        whole = len(self._rest) - len(self._rest) % CHUNK_BYTES
        chunks = [bytes(self._rest[at : at + CHUNK_BYTES]) for at in range(0, whole, CHUNK_BYTES)]
        del self._rest[:whole]
        return chunks

    def _fill_gap(self, frame: AudioFrame | Sound) -> None:
        if frame.pts is None or not frame.sample_rate:
            return
        gap = 0 if self._expected_pts is None else frame.pts - self._expected_pts
        self._expected_pts = frame.pts + frame.samples
        # In whole milliseconds: less is rounding. A negative gap is a sender that restarted.
        gap_ms = gap * 1000 // frame.sample_rate
        ahead_ms, self._ahead_ms = self._ahead_ms, 0
        if ahead_ms < gap_ms <= MAX_FILLED_GAP_MS:
            self._fill(gap_ms - ahead_ms)

    def _fill(self, ms: int) -> None:
        self._rest += bytes(ms * BYTES_PER_MS)
        self.filled_ms += ms


class Microphone:
    """Hands on the audio of a track as it arrives, in order.

    If no audio arrives, it hands on silence and then reports that the audio is over (`SoundGap`).

    Args:
        on_chunk: called on the event loop with each 20 ms: 640 bytes, s16le mono 16 kHz. An
            exception that it raises ends `run`, which raises it again.
        on_over: called on the event loop when no audio has arrived for so long that none is
            expected. More may still arrive.
        before: the microphone of an earlier connection, which stops when the first audio of this
            one arrives. Until then its gaps are still filled.
    """

    def __init__(
        self,
        on_chunk: Callable[[bytes], None],
        on_over: Callable[[], None] = lambda: None,
        before: Microphone | None = None,
    ) -> None:
        self._on_chunk = on_chunk
        self._on_over = on_over
        self._chunks = PcmChunks()
        self._gap = SoundGap()
        self._ended = self._stopped = False
        self._before = before

    @property
    def filled_ms(self) -> int:
        """How much silence was added in place of audio that did not arrive."""
        return self._chunks.filled_ms

    async def run(self, track: MediaStreamTrack) -> None:
        """Reads the track until it ends, and fills the second after its end like any other gap."""
        reading = asyncio.create_task(self._read(track), name="microphone-read")
        filling = asyncio.create_task(self._fill_gaps(), name="microphone-gaps")
        try:
            done, _ = await asyncio.wait([reading, filling], return_when=asyncio.FIRST_COMPLETED)
            if reading in done:
                reading.result()
                self._ended = True
            await filling
        finally:
            reading.cancel()
            filling.cancel()
            await asyncio.wait([reading, filling])

    async def _fill_gaps(self) -> None:
        late = False
        while not self._stopped and (self._gap.open or not self._ended):
            due_s = time.monotonic() + CHECK_S
            await asyncio.sleep(CHECK_S)
            now_s = time.monotonic()
            # After a stall of this process the packets have arrived and are only not read yet.
            late = now_s > due_s + LATE_S and not late
            if late:
                continue
            quiet = self._gap.check(now_s)
            for chunk in self._chunks.silence(quiet.silence_ms) if quiet.silence_ms else ():
                self._on_chunk(chunk)
            if quiet.over:
                self._on_over()

    async def _read(self, track: MediaStreamTrack) -> None:
        queue = decoder_queue_of(track)
        if isinstance(queue, AudioDecoderQueue):
            # The decoder calls the sink directly, in the same step of the event loop.
            queue.sink = self._take
        try:
            while True:
                self._take(await track.recv())
        except MediaStreamError:
            if isinstance(queue, AudioDecoderQueue) and queue.sink_error is not None:
                raise queue.sink_error from None
        finally:
            if isinstance(queue, AudioDecoderQueue):
                queue.sink = None

    def _take(self, frame: object) -> None:
        assert isinstance(frame, AudioFrame | Sound | MediaFrame)
        if isinstance(frame, AudioFrame | Sound):
            self._gap.received(time.monotonic())
            if self._before is not None:
                self._before._stopped = True
                self._before = None
            for chunk in self._chunks.feed(frame):
                self._on_chunk(chunk)
