"""Sessions that were written from others' reports about the real service, not recorded.

Nobody has published a recording of them. Each says which model does so, and who saw it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.recorded_sessions import CLOSE, CUT, PAUSE, RecordedMessage, RecordedSession

AUDIO = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": CUT}}


def written(
    name: str, model: str, *lines: dict[str, Any], on_vertex: bool = False, **setup: Any
) -> RecordedSession:
    """A session of these messages after the setup; their kind tells the client's messages apart."""
    path = "publishers/google/models" if on_vertex else "models"
    messages = [
        RecordedMessage("client", {"setup": {"model": f"{path}/{model}"} | setup}),
        RecordedMessage("server", {"setupComplete": {}}),
    ]
    for line in lines:
        from_client = line.keys() & {"client_content", "realtime_input", "tool_response"}
        messages.append(RecordedMessage("client" if from_client else "server", line))
    return RecordedSession(name, tuple(messages))


def asks(text: str) -> dict[str, Any]:
    turn = {"role": "user", "parts": [{"text": text}]}
    return {"client_content": {"turns": [turn], "turnComplete": True}}


def says(text: str) -> dict[str, Any]:
    """A piece of the answer's sound with its words."""
    turn = {"role": "model", "parts": [AUDIO]}
    return {"serverContent": {"modelTurn": turn, "outputTranscription": {"text": text}}}


def thinks(text: str) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": [{"text": text, "thought": True}]}}}


def calls(*calls: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """Tool calls, as (id, name, arguments)."""
    return {
        "toolCall": {
            "functionCalls": [
                {"id": each, "name": name, "args": args} for each, name, args in calls
            ]
        }
    }


def responds(call_id: str, name: str, response: dict[str, Any]) -> dict[str, Any]:
    one = {"id": call_id, "name": name, "response": response}
    return {"tool_response": {"functionResponses": [one]}}


def declares(*names: str) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": name, "description": name} for name in names]}]


def ends(status: str | None = None) -> list[dict[str, Any]]:
    """The end of a turn, with the status that only models which think for long send."""
    content = {"turnComplete": True} | ({"interactionStatus": status} if status else {})
    usage = {"promptTokenCount": 10, "responseTokenCount": 5, "totalTokenCount": 15}
    return [
        {"serverContent": {"generationComplete": True}},
        {"serverContent": content, "usageMetadata": usage},
    ]


def closes(code: int, reason: str) -> dict[str, Any]:
    return {CLOSE: (code, reason)}


def pauses(seconds: float) -> dict[str, Any]:
    return {PAUSE: seconds}


def refused(session: RecordedSession, code: int, reason: str) -> RecordedSession:
    """The session, but its setup is refused."""
    refusal = RecordedMessage("server", closes(code, reason))
    return replace(session, messages=(session.messages[0], refusal, *session.messages[2:]))


INTERRUPTED = [
    {"serverContent": {"interrupted": True}},
    {"serverContent": {"turnComplete": True}, "usageMetadata": {}},
]
