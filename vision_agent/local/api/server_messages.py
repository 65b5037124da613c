"""Builders for the server's messages, each one WebSocket message of JSON.

Field names and order of messages are those of ``BidiGenerateContentServerMessage``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from vision_agent.local.contract import FunctionCall

ServerMessage = dict[str, Any]


def encode(message: ServerMessage) -> bytes:
    """One message for the socket; bytes, because the public service sends binary frames."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def setup_complete(session_id: str | None) -> ServerMessage:
    """The session is open; the message has its id if the service sends one."""
    return {"setupComplete": {"sessionId": session_id} if session_id else {}}


def nothing() -> ServerMessage:
    """A message that says nothing."""
    return {}


def no_content() -> ServerMessage:
    """A message of the conversation that says nothing."""
    return {"serverContent": {}}


def audio_part(pcm: bytes, mime_type: str) -> ServerMessage:
    """A piece of the answer's sound: s16le mono 24 kHz."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(pcm).decode()}}


def thought_part(text: str) -> ServerMessage:
    """The model's thoughts, which are not spoken."""
    return {"text": text, "thought": True}


def text_part(text: str) -> ServerMessage:
    """A piece of an answer in text (``responseModalities: [TEXT]``)."""
    return {"text": text}


def model_turn(part: ServerMessage, *, role: bool, words: str = "") -> ServerMessage:
    """A piece of an answer.

    Args:
        part: The piece.
        role: Whether the role is named.
        words: The words of the transcript that ride with it.
    """
    turn: ServerMessage = {"parts": [part]}
    content: ServerMessage = {"modelTurn": turn | {"role": "model"} if role else turn}
    if words:
        content["outputTranscription"] = {"text": words}
    return {"serverContent": content}


def input_transcription(text: str) -> ServerMessage:
    """The transcript of an utterance."""
    return {"serverContent": {"inputTranscription": {"text": text}}}


def interim_input_transcription(text: str) -> ServerMessage:
    """The transcript of an utterance so far."""
    return {"serverContent": {"interimInputTranscription": {"text": text}}}


def output_transcription(text: str) -> ServerMessage:
    """Words of the answer, to be appended to those sent before in this turn."""
    return {"serverContent": {"outputTranscription": {"text": text}}}


def output_transcription_begun() -> ServerMessage:
    """Words of the answer follow, all of them before its sound."""
    return {"serverContent": {"outputTranscription": {}}}


def output_transcription_finished() -> ServerMessage:
    """No more words of the answer follow."""
    return {"serverContent": {"outputTranscription": {"finished": True}}}


def generation_complete() -> ServerMessage:
    """The whole answer is generated; the caller may still be playing it."""
    return {"serverContent": {"generationComplete": True}}


def interrupted() -> ServerMessage:
    """The caller cut in: the client drops what it has not played of the answer."""
    return {"serverContent": {"interrupted": True}}


def turn_complete(
    *, said_nothing: bool = False, status: str | None = None, grounding: bool = False
) -> ServerMessage:
    """The turn is over: played to its end, or interrupted.

    Args:
        said_nothing: Whether the model had nothing to say, and waits for more.
        status: The ``interactionStatus``: whether more output follows without further input.
        grounding: Whether to name what the answer is grounded in, which is nothing.
    """
    content: ServerMessage = {"turnComplete": True}
    if grounding:
        content["groundingMetadata"] = {}
    if status:
        content["interactionStatus"] = status
    if said_nothing:
        content |= {"turnCompleteReason": "NEED_MORE_INPUT", "waitingForInput": True}
    return {"serverContent": content}


def nothing_said() -> ServerMessage:
    """The end of a turn in which nothing was said, and of which nothing is counted."""
    return turn_complete() | {"usageMetadata": {}}


def tool_call(calls: Sequence[FunctionCall]) -> ServerMessage:
    """Functions the client has to run."""
    described = [{"name": call.name, "args": dict(call.args), "id": call.id} for call in calls]
    return {"toolCall": {"functionCalls": described}}


def tool_call_cancellation(ids: Sequence[str]) -> ServerMessage:
    """Calls whose results are no longer wanted."""
    return {"toolCallCancellation": {"ids": list(ids)}}


def voice_activity(kind: str, audio_offset_ms: int) -> ServerMessage:
    """Speech began or ended (``ACTIVITY_START``, ``ACTIVITY_END``) at an offset of the sound."""
    return {"voiceActivity": {"type": kind, "audioOffset": _duration(audio_offset_ms)}}


def go_away(time_left_s: float) -> ServerMessage:
    """The connection ends in this many seconds."""
    return {"goAway": {"timeLeft": _duration(round(1000 * max(0.0, time_left_s)))}}


def session_resumption_update(handle: str, last_message: int | None = None) -> ServerMessage:
    """The session can be resumed with this handle; ``last_message`` only when asked for.

    An empty handle says, in a message that holds nothing, that it can't be resumed at the moment.
    """
    update: ServerMessage = {"newHandle": handle, "resumable": True} if handle else {}
    if last_message is not None:
        update["lastConsumedClientMessageIndex"] = str(last_message)
    return {"sessionResumptionUpdate": update}


def _duration(ms: int) -> str:
    """A ``google.protobuf.Duration`` in JSON: whole seconds without a fraction."""
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms / 1000:.3f}s"
