"""RTVI 2.1 messages: text in, what it means out, and the other way round. No I/O, no clock.

The protocol of the public Pipecat client SDKs (https://docs.pipecat.ai/client/rtvi-standard): JSON
objects ``{label: "rtvi-ai", type, id, data?}`` on a data channel, beside the SmallWebRTC
transport's own ``ping: <ms>`` and ``{type: "signalling", message}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "2.1.0"
LABEL = "rtvi-ai"
MAX_MESSAGE_BYTES = 64 * 1024


class BadMessage(ValueError):
    """A message that cannot be understood; its text is one sentence for the peer."""

    def __init__(self, text: str, message_id: str | None = None) -> None:
        super().__init__(text)
        self.message_id = message_id


@dataclass(frozen=True, slots=True)
class Ping:
    """The transport's keep-alive, once a second; needs no answer."""


@dataclass(frozen=True, slots=True)
class TrackStatus:
    """The peer switched a microphone (0), camera (1) or screen (2) on or off."""

    receiver_index: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class ClientReady:
    """The client is set up, and waits for bot-ready with the same id."""

    message_id: str
    version: str


@dataclass(frozen=True, slots=True)
class SendText:
    """The user typed something to the agent."""

    content: str


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A request of the application's own; expects a server-response with the same id."""

    message_id: str
    type: str
    data: object


@dataclass(frozen=True, slots=True)
class Goodbye:
    """disconnect-bot: the client leaves."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and of no use here."""

    type: str


Incoming = Ping | TrackStatus | ClientReady | SendText | ClientMessage | Goodbye | Ignored


def parse(message: str | bytes) -> Incoming:
    """Reads one message of the data channel.

    Raises:
        BadMessage: it is too long, not JSON, of an unknown type, or lacks what its type needs.
    """
    if isinstance(message, bytes):
        raise BadMessage("Messages must be text, not binary.")
    if len(message) > MAX_MESSAGE_BYTES:
        raise BadMessage(f"The message is too long: at most {MAX_MESSAGE_BYTES} bytes are read.")
    if message.startswith("ping"):
        return Ping()
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        raise BadMessage("The message is not JSON.") from None
    if not isinstance(body, dict):
        raise BadMessage("The message is not a JSON object.")
    if body.get("type") == "signalling":
        return _parse_signalling(body.get("message"))
    if body.get("label") != LABEL:
        raise BadMessage(f'The message is not labelled "{LABEL}".')
    return _parse_rtvi(body)


def _parse_signalling(inner: object) -> Incoming:
    if not isinstance(inner, dict):
        raise BadMessage("The signalling message is empty.")
    if inner.get("type") != "trackStatus":
        return Ignored(f"signalling {str(inner.get('type'))[:40]}")
    index, enabled = inner.get("receiver_index"), inner.get("enabled")
    if not isinstance(index, int) or isinstance(index, bool) or not isinstance(enabled, bool):
        raise BadMessage("The trackStatus message needs receiver_index and enabled.")
    return TrackStatus(index, enabled)


def _parse_rtvi(body: dict[str, object]) -> Incoming:
    kind, data = body.get("type"), body.get("data")
    raw_id = body.get("id")
    message_id = raw_id[:200] if isinstance(raw_id, str) else None
    fields = data if isinstance(data, dict) else {}
    match kind:
        case "client-ready":
            if message_id is None:
                raise BadMessage("client-ready needs an id.")
            return ClientReady(message_id, str(fields.get("version", ""))[:40])
        case "send-text":
            content = fields.get("content")
            if not isinstance(content, str) or not content.strip():
                raise BadMessage("send-text needs a content.", message_id)
            return SendText(content)
        case "client-message":
            name = fields.get("t")
            if message_id is None or not isinstance(name, str):
                raise BadMessage("client-message needs an id and a type (t).", message_id)
            return ClientMessage(message_id, name, fields.get("d"))
        case "disconnect-bot":
            return Goodbye()
        case "llm-function-call-result" | "client-ui-message":
            return Ignored(kind)
        case str():
            raise BadMessage(f"Messages of the type {kind[:40]!r} are not known.", message_id)
        case _:
            raise BadMessage("The message has no type.", message_id)


def message(kind: str, message_id: str, data: Mapping[str, object] | None = None) -> str:
    """Writes one RTVI message. `data` must be JSON; what is not is written as its text."""
    body: dict[str, object] = {"label": LABEL, "type": kind, "id": message_id}
    if data is not None:
        body["data"] = data
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)


def bot_ready(message_id: str, about: Mapping[str, str]) -> str:
    """Answers client-ready; without it, with the same id, the client waits for ever."""
    return message("bot-ready", message_id, {"version": VERSION, "about": dict(about)})


def bot_output(message_id: str, text: str, segment_id: int) -> str:
    """What was said, whole. `spoken` is version 1's field, the others are version 2's."""
    return message(
        "bot-output",
        message_id,
        {
            "text": text,
            "aggregated_by": "sentence",
            "spoken": True,
            "will_be_spoken": True,
            "spoken_status": "completed",
            "segment_id": segment_id,
            "spoken_progress": {"accumulated_text": text, "remaining_text": ""},
        },
    )


def peer_left() -> str:
    """The transport's word for "this call is over"."""
    return json.dumps({"type": "signalling", "message": {"type": "peerLeft"}})
