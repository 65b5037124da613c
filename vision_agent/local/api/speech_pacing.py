"""How fast the sound of an answer is sent. Pure."""

from __future__ import annotations


def speech_wait_ms(pace: float, sent_ms: float, elapsed_ms: float) -> float:
    """How long the next piece of an answer's sound has to wait, in milliseconds.

    Args:
        pace: How many times faster than it plays sound is sent.
        sent_ms: How much of the answer's sound has been sent.
        elapsed_ms: How long ago the first of it was.
    """
    return max(0.0, sent_ms / pace - elapsed_ms)
