"""A server's side of the data channel, as a caller receives it."""

import json
from typing import Any

from vision_agent.caller.transcript import CallTranscript


def say(transcript: CallTranscript, at_ms: int, rtvi_type: str, /, **data: Any) -> None:
    message = {"label": "rtvi-ai", "type": rtvi_type, "id": "1", "data": data}
    transcript.feed(json.dumps(message), at_ms)


def server_says(transcript: CallTranscript, at_ms: int, /, **data: Any) -> None:
    say(transcript, at_ms, "server-message", **data)
