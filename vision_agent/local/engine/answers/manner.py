"""How the caller speaks, in words, and how that changes what is answered. Pure."""

from __future__ import annotations

from vision_agent.local.contract import Manner

HURRIED_WPM = 190.0
SLOW_WPM = 95.0
"""Usual talk is 120 to 170 words a minute."""

LOUD_DB = -14.0
QUIET_DB = -40.0
"""Level of the voice over full scale. A headset at arm's length gives about -25."""

SHORT = 1
"""Sentences of an answer that somebody in a hurry gets."""

CALM = "All right."


def is_hurried(manner: Manner) -> bool:
    """Whether the caller speaks fast."""
    return manner.words_per_minute is not None and manner.words_per_minute >= HURRIED_WPM


def is_loud(manner: Manner) -> bool:
    """Whether the caller speaks loudly, or close to the microphone."""
    return manner.loudness_db >= LOUD_DB


def describe(manner: Manner | None) -> str:
    """The answer to "how do I sound?"; only what was measured."""
    if manner is None:
        return "I can only tell that from your voice, and I have not measured it."
    loudness = "loud" if is_loud(manner) else "quiet" if manner.loudness_db <= QUIET_DB else ""
    pace, measured = "", ""
    if manner.words_per_minute is not None:
        wpm = manner.words_per_minute
        pace = "hurried" if is_hurried(manner) else "slow" if wpm <= SLOW_WPM else ""
        measured = f", about {round(wpm, -1):.0f} words a minute"
    told = " and ".join(word for word in (loudness, pace) if word) or "calm"
    return f"You sound {told}{measured}. That is pace and loudness; feelings I can't hear."
