"""Whether the microphone's switch marks the caller's turns, instead of the model. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TAIL_MS = 300
"""Margin for the last word, which arrives after the message of the switch."""

LEAD_S = 0.1
"""Margin for the first word: sound that arrives before the message of the switch is ignored."""

_OFF = ("false", "0", "off", "no")


def signals_turns(asked: Mapping[str, Any], detected: bool | None = None) -> bool:
    """Whether a call has to signal when its caller's turns begin and end.

    Args:
        asked: The options of the call (`requestData`).
        detected: Whether the model detects turns in this call, if the server has said so: its own
            options apply where the call sets none.
    """
    if detected is not None:
        return not detected
    value = asked.get("voice_activity_detection", asked.get("voiceActivityDetection"))
    return value is not None and str(value).strip().lower() in _OFF
