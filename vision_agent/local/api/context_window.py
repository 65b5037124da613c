"""Decides what leaves a context that is too long (``contextWindowCompression``). Pure.

The public service keeps a suffix: it drops the oldest turns, cuts where a turn of the user's
begins, and leaves the system instruction where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_TOKENS = 128_000
"""The context window of a live model, as documented."""

_TRIGGER_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Compression:
    """When to shorten the context, and to what.

    Attributes:
        trigger_tokens: A turn that would read this many or more is preceded by a shortening.
        target_tokens: What is kept then, at most; fewer than ``trigger_tokens``.
    """

    trigger_tokens: int
    target_tokens: int


def compression(
    trigger_tokens: int | None, target_tokens: int | None, window_tokens: int
) -> Compression:
    """A compression with the service's defaults: 80 % of the window, and half of the trigger."""
    trigger = round(_TRIGGER_SHARE * window_tokens) if trigger_tokens is None else trigger_tokens
    return Compression(trigger, trigger // 2 if target_tokens is None else target_tokens)


def turns_to_drop(compression: Compression, fixed_tokens: int, turn_tokens: Sequence[int]) -> int:
    """How many of the oldest turns have to go before the next one is answered.

    Args:
        compression: When, and how far.
        fixed_tokens: What stays in front: the system instruction.
        turn_tokens: Each turn's tokens, oldest first; the last one is about to be answered and
            always stays, however long it is.
    """
    left = fixed_tokens + sum(turn_tokens)
    if left < compression.trigger_tokens:
        return 0
    dropped = 0
    for tokens in turn_tokens[:-1]:
        if left <= compression.target_tokens:
            break
        left -= tokens
        dropped += 1
    return dropped
