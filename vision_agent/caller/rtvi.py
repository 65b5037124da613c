"""The data channel (RTVI 2.1): what a client sends, and a bounded reader of what comes. Pure."""

from __future__ import annotations

import base64
import json
import math
from typing import Any, Literal

LABEL = "rtvi-ai"
VERSION = "2.1.0"

Track = Literal["microphone", "camera", "screen"]
"""The tracks that a caller switches on and off."""

MAX_PICTURE_BYTES = 24 * 36_000
"""A picture is sent in at most 24 parts of 48,000 characters of base64."""

_PART_BYTES = 36_000

_INDEXES: dict[Track, int] = {"microphone": 0, "camera": 1, "screen": 2}
# A tool's result may be nested, but only this deeply can it be written as JSON again.
_DEEPEST_LEVEL = 50


def parse(message: str | bytes) -> dict[str, Any] | None:
    """Read one message; None if it is malformed, no object, or nested too deeply."""
    try:
        parsed = json.loads(message, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return None if not isinstance(parsed, dict) or _is_deep(parsed) else parsed


def client_ready(message_id: str, version: str) -> str:
    """Format the message that opens the conversation; the server answers it with bot-ready."""
    about = {"library": "vision_agent.replay", "library_version": version}
    return _message("client-ready", message_id, {"version": VERSION, "about": about})


def send_text(message_id: str, text: str, *, spoken_answer: bool = True) -> str:
    """Format a typed line."""
    options = {"run_immediately": True, "audio_response": spoken_answer}
    return _message("send-text", message_id, {"content": text, "options": options})


def picture_parts(picture_id: str, name: str, data: bytes) -> list[str]:
    """Format the parts of a picture file; the server answers each of them.

    Args:
        picture_id: Tells pictures apart.
        name: The name of the file.
        data: At most `MAX_PICTURE_BYTES`.
    """
    pieces = [data[at : at + _PART_BYTES] for at in range(0, len(data), _PART_BYTES)]
    return [
        _message(
            "client-message",
            f"{picture_id}-{part}",
            {
                "t": "picture",
                "d": {
                    "id": picture_id,
                    "name": name,
                    "part": part,
                    "parts": len(pieces),
                    "data": base64.b64encode(piece).decode(),
                },
            },
        )
        for part, piece in enumerate(pieces)
    ]


def track_status(track: Track, *, enabled: bool) -> str:
    """Format the message that a track was switched on or off."""
    inner = {"type": "trackStatus", "receiver_index": _INDEXES[track], "enabled": enabled}
    return json.dumps({"type": "signalling", "message": inner})


def _message(kind: str, message_id: str, data: dict[str, Any]) -> str:
    return json.dumps({"label": LABEL, "type": kind, "id": message_id, "data": data})


def _is_deep(value: Any, levels: int = _DEEPEST_LEVEL) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def _finite(text: str) -> float | None:
    """Read a number; one that is too large (1e999) could not be written as JSON again."""
    number = float(text)
    return number if math.isfinite(number) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
