"""How far the sound that is sent may run ahead of what has been played. Pure."""

from __future__ import annotations

from vision_agent.local.api.limits import Limits


def speech_wait_ms(limits: Limits, played_until_ms: float, now_ms: float) -> float:
    """How long the next piece of sound has to wait, in milliseconds.

    Sound on the wire can't be taken back: a client that reads slowly would get `interrupted` behind
    all of it. A turn ends when its sound has been played, so waiting costs no time.

    Args:
        limits: How far ahead the sound may be.
        played_until_ms: When the caller will have played all that was sent.
        now_ms: The time.
    """
    if limits.audio_ahead_s is None:
        return 0.0
    return max(0.0, played_until_ms - now_ms - 1000 * limits.audio_ahead_s)
