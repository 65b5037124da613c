"""What the server says: builders for its messages, each one WebSocket message of JSON.

Field names and order of messages are those of ``BidiGenerateContentServerMessage``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from vision_agent.local.api.turn_actions import FunctionCall
from vision_agent.local.contract import OUTPUT_RATE_HZ

ServerMessage = dict[str, Any]


def encode(message: ServerMessage) -> bytes:
    """One message for the socket; bytes, because the public service sends binary frames."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def setup_complete(session_id: str) -> ServerMessage:
    """The session is open."""
    return {"setupComplete": {"sessionId": session_id}}


def model_audio(pcm: bytes) -> ServerMessage:
    """A piece of the answer's sound: s16le mono 24 kHz."""
    data = base64.b64encode(pcm).decode()
    blob = {"mimeType": f"audio/pcm;rate={OUTPUT_RATE_HZ}", "data": data}
    return {"serverContent": {"modelTurn": {"role": "model", "parts": [{"inlineData": blob}]}}}


def model_text(text: str) -> ServerMessage:
    """A piece of an answer in text (``responseModalities: [TEXT]``)."""
    return {"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": text}]}}}


def input_transcription(text: str) -> ServerMessage:
    """The transcript of what the caller said."""
    return {"serverContent": {"inputTranscription": {"text": text}}}


def output_transcription(text: str) -> ServerMessage:
    """Words of the answer, to be appended to those sent before in this turn."""
    return {"serverContent": {"outputTranscription": {"text": text}}}


def generation_complete() -> ServerMessage:
    """The whole answer is generated; the caller may still be playing it."""
    return {"serverContent": {"generationComplete": True}}


def interrupted() -> ServerMessage:
    """The caller cut in: the client drops what it has not played of the answer."""
    return {"serverContent": {"interrupted": True}}


def turn_complete(*, said_nothing: bool = False, more_follows: bool = False) -> ServerMessage:
    """The turn is over: played to its end, or interrupted.

    A model that had nothing to say reports that it waits for more. Every message has an
    ``interactionStatus``: whether more output follows without further input.
    """
    status = "IN_PROGRESS" if more_follows else "IDLE"
    content: ServerMessage = {"turnComplete": True, "interactionStatus": status}
    if said_nothing:
        content |= {"turnCompleteReason": "NEED_MORE_INPUT", "waitingForInput": True}
    return {"serverContent": content}


def tool_call(calls: Sequence[FunctionCall]) -> ServerMessage:
    """Functions the client has to run."""
    described = [{"id": call.id, "name": call.name, "args": dict(call.args)} for call in calls]
    return {"toolCall": {"functionCalls": described}}


def tool_call_cancellation(ids: Sequence[str]) -> ServerMessage:
    """Calls whose results are no longer wanted."""
    return {"toolCallCancellation": {"ids": list(ids)}}


def voice_activity(kind: str, audio_offset_ms: int) -> ServerMessage:
    """Speech began or ended (``ACTIVITY_START``, ``ACTIVITY_END``) at an offset of the sound."""
    offset = f"{audio_offset_ms / 1000:.3f}s"
    return {"voiceActivity": {"type": kind, "audioOffset": offset}}


def go_away(time_left_s: float) -> ServerMessage:
    """The connection ends in this many seconds."""
    return {"goAway": {"timeLeft": f"{max(0.0, time_left_s):.3f}s"}}


def session_resumption_update(handle: str, last_message: int | None = None) -> ServerMessage:
    """The session can be resumed with this handle; ``last_message`` only when asked for.

    An empty handle says that the session can't be resumed at the moment.
    """
    update: ServerMessage = {"newHandle": handle, "resumable": bool(handle)}
    if last_message is not None:
        update["lastConsumedClientMessageIndex"] = str(last_message)
    return {"sessionResumptionUpdate": update}
