"""What keeps the agent from hearing itself when it speaks from a loudspeaker. No I/O, no clock.

Three ways, the first that fits: headphones need none; WebRTC's echo canceller (AEC3, the one
browsers have) takes the speaker's sound out of the microphone's, and the caller can interrupt;
without its package the microphone is silent while the agent speaks, and the caller can't.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vision_agent.caller.level import VOICED_RMS, rms
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples

BLOCK_SAMPLES = SOUND_RATE_HZ // 100
"""10 ms: what AEC3 works on."""

# The speaker's own buffers and the room go on after the last voiced block has been queued.
_TAIL_BLOCKS = 35


class EchoGuard(Protocol):
    """Takes one block each of what the microphone hears and of what the speaker is given."""

    label: str

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return what the caller said: `BLOCK_SAMPLES` of it."""


class NoEcho:
    """For headphones."""

    label = "headphones: no echo to remove"

    def clean(self, near: Samples, far: Samples) -> Samples:
        """Return the microphone's block as it is."""
        return near


class HalfDuplex:
    """Silences the microphone while the agent's voice sounds and for 350 ms after it."""

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
    """WebRTC's AEC3. It finds the delay between speaker and microphone by itself.

    Raises:
        ImportError: Its package isn't there.
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
    """Choose the guard."""
    if headphones:
        return NoEcho()
    if not half_duplex:
        try:
            return Canceller()
        except ImportError:
            pass
    return HalfDuplex()
