"""The microphone of a spoken call as a track: a device's sound, muted or not, in 20 ms frames."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, sound_frame

_FRAME_SAMPLES = SOUND_RATE_HZ // 50
_MAX_WAITING_SAMPLES = 2 * SOUND_RATE_HZ
# A microphone this late has stopped, and RTP must not.
_LATE_S = 0.06


class LiveMicrophoneTrack(MediaStreamTrack):
    """Sound from a device in 20 ms frames, as it arrives; silence while muted or without sound.

    Sound that a busy moment has delayed is sent right afterwards. At most 2 s wait; the oldest is
    dropped.
    """

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._own_loop = asyncio.get_running_loop()
        self._blocks: deque[Samples] = deque()
        self._held = 0
        self._arrived = asyncio.Event()
        self._frames = 0
        # How many more of the device's samples are sent; None while the microphone is on.
        self._open_samples: int | None = None
        self._unsent_samples = 0
        self._on_muted: Callable[[], None] | None = None

    def mute(self, after_ms: int = 0, then: Callable[[], None] | None = None) -> None:
        """Send silence after another `after_ms` of the device's sound.

        What has arrived before is still sent, however late this machine is.

        Args:
            after_ms: Margin for the last word, which may still be on its way from the device.
            then: Called when the last sound has been sent, unless `unmute` came first.
        """
        self._open_samples = after_ms * SOUND_RATE_HZ // 1000
        self._unsent_samples = self._held
        self._on_muted = then

    def unmute(self) -> None:
        """Send the device's sound from now on."""
        self._open_samples = self._on_muted = None

    def push_from_thread(self, block: Samples) -> None:
        """Take the next block of mono s16 at 48 kHz; may be called from any thread."""
        self._own_loop.call_soon_threadsafe(self._push, block)

    def _push(self, block: Samples) -> None:
        if self._open_samples is not None:
            open_count = min(self._open_samples, len(block))
            block = np.concatenate(
                (block[:open_count], np.zeros(len(block) - open_count, np.int16))
            )
            self._open_samples -= open_count
            self._unsent_samples += open_count
        self._blocks.append(block)
        self._held += len(block)
        while self._held > _MAX_WAITING_SAMPLES:
            self._held -= len(self._blocks.popleft())
        if self._held >= _FRAME_SAMPLES:
            self._arrived.set()

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms frame."""
        if self.readyState != "live":
            raise MediaStreamError
        # Sound may have arrived while the loop was too busy to notice.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LATE_S):
                await self._arrived.wait()
        has_sound = self._held >= _FRAME_SAMPLES
        samples = self._take() if has_sound else np.zeros(_FRAME_SAMPLES, np.int16)
        self._muting(came=has_sound)
        frame = sound_frame(samples, self._frames * _FRAME_SAMPLES)
        self._frames += 1
        return frame

    def _muting(self, *, came: bool) -> None:
        """Count a sent frame; `came` says whether the device delivered it in time."""
        if self._open_samples is None:
            return
        self._unsent_samples = max(0, self._unsent_samples - _FRAME_SAMPLES)
        if not came:  # a device that has stopped must not keep the microphone open
            self._open_samples = max(0, self._open_samples - _FRAME_SAMPLES)
        if self._open_samples or self._unsent_samples or self._on_muted is None:
            return
        # The frame is sent only after this call.
        self._own_loop.call_soon(self._tell_muted)

    def _tell_muted(self) -> None:
        then, self._on_muted = self._on_muted, None
        if then is not None:
            then()

    def _take(self) -> Samples:
        samples = np.concatenate(self._blocks)
        self._blocks.clear()
        rest = samples[_FRAME_SAMPLES:]
        if len(rest):
            self._blocks.append(rest)
        self._held = len(rest)
        if self._held < _FRAME_SAMPLES:
            self._arrived.clear()
        return samples[:_FRAME_SAMPLES]
