"""Whether the microphone's switch makes the caller's turns, and not the model's detection. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TAIL_MS = 300
"""The last word is still on its way when the switch's message overtakes it."""

LEAD_S = 0.1
"""The same at the beginning: what comes before the switch's message is not listened to."""

_OFF = ("false", "0", "off", "no")


def signals_turns(asked: Mapping[str, Any], detected: bool | None = None) -> bool:
    """Whether a call has to say when its caller's turns begin and end.

    Args:
        asked: The options of the call (`requestData`).
        detected: Whether the model detects turns in this call, if the server has said so: its own
            options hold for what the call does not ask for.
    """
    if detected is not None:
        return not detected
    value = asked.get("voice_activity_detection", asked.get("voiceActivityDetection"))
    return value is not None and str(value).strip().lower() in _OFF
