"""Keeps the agent from hearing its own voice from the loudspeaker. No I/O, no clock.

There are three ways, and the first that fits is taken. With headphones there is no echo. WebRTC's
echo canceller (AEC3, the one in browsers) removes the speaker's sound from the microphone's, and
the caller can interrupt. Without its package the microphone is silenced while the agent speaks, and
the caller can't.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vision_agent.caller.level import VOICED_RMS, rms
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples

BLOCK_SAMPLES = SOUND_RATE_HZ // 100
"""10 ms, the block size of AEC3."""

# The speaker's buffers and the room sound on after the last voiced block has been queued.
_TAIL_BLOCKS = 35


class EchoGuard(Protocol):
    """Takes the microphone's and the speaker's sound block by block."""

    label: str

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return the caller's voice, `BLOCK_SAMPLES` long.

        Args:
            near: The microphone's block.
            far: The block that the speaker was given.
        """


class NoEcho:
    """Does nothing: with headphones there is no echo."""

    label = "headphones: no echo to remove"

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return the microphone's block unchanged."""
        return near


class HalfDuplex:
    """Silences the microphone while the agent's voice sounds, and for 350 ms after it."""

    label = "half duplex: you can't interrupt the agent by voice (use --headphones for that)"

    def __init__(self) -> None:
        self._blocks_left = 0

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return the block, or silence."""
        if rms(far) >= VOICED_RMS:
            self._blocks_left = _TAIL_BLOCKS
        elif self._blocks_left:
            self._blocks_left -= 1
        return np.zeros_like(near) if self._blocks_left else near


class Canceller:
    """WebRTC's AEC3, which finds the delay between speaker and microphone by itself.

    Raises:
        ImportError: The package `pywebrtc_audio` is missing.
    """

    label = "echo cancelled: you can interrupt the agent"

    def __init__(self) -> None:
        from pywebrtc_audio import AudioProcessor

        self._processor = AudioProcessor(
            sample_rate=SOUND_RATE_HZ, echo_cancellation=True, high_pass_filter=True
        )

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return the microphone's block without the speaker's sound."""
        return np.asarray(self._processor.process(near, far), np.int16).reshape(-1)


def echo_guard(*, headphones: bool, half_duplex: bool) -> EchoGuard:
    """Return the guard that fits.

    Args:
        headphones: The agent's voice can't reach the microphone.
        half_duplex: Silence the microphone even where the echo could be cancelled.
    """
    if headphones:
        return NoEcho()
    if not half_duplex:
        try:
            return Canceller()
        except ImportError:
            pass
    return HalfDuplex()
