"""Parses a client's RTVI 2.1 messages and builds the server's. No I/O, no clock.

`parse` enforces every bound on a client's message, so that no later code has to.

RTVI is the protocol of the public Pipecat client SDKs (https://docs.pipecat.ai/client/rtvi-standard):
JSON objects `{label: "rtvi-ai", type, id, data?}` on a data channel, beside the SmallWebRTC
transport's own `ping: <ms>` and `{type: "signalling", message}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = "2.1.0"
LABEL = "rtvi-ai"
MICROPHONE, CAMERA, SCREEN = 0, 1, 2
"""The subjects of a trackStatus: the SmallWebRTC transport numbers its offer's transceivers."""

MAX_MESSAGE_CHARS = 64 * 1024
MAX_TEXT_CHARS = 4_000
"""The longest typed text: some four minutes of speech."""

KEYS = tuple("0123456789*#")
"""The keys of a telephone."""

MAX_KEYS = 64
MAX_ID_CHARS = 200
MAX_NAME_CHARS = 100

_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))
"""Control characters other than tab and line ends, which databases can't store and nobody types."""


_NOT_DONE = {
    "llm-function-call-result": "The agent's tools run on the server: a client's results are not "
    "taken.",
    "ui-snapshot": "The agent does not read the client's page: snapshots are not taken.",
    "ui-cancel-job-group": "No job groups run here that could be cancelled.",
}
"""The parts of RTVI that this server does not implement, with the sentence that refuses each."""


class BadMessage(ValueError):
    """A message that is refused.

    Args:
        text: One sentence for the client.
        request_id: The id of the request that the refusal answers; None if the message is not a
            request, or has no id.
        about: The id of a message that is not a request, such as a typed line; the error carries
            it too.
    """

    def __init__(
        self, text: str, request_id: str | None = None, *, about: str | None = None
    ) -> None:
        super().__init__(text)
        self.request_id = request_id
        self.about = about


@dataclass(frozen=True, slots=True)
class Ping:
    """The transport's keep-alive message, sent once a second; it is not answered."""


@dataclass(frozen=True, slots=True)
class TrackStatus:
    """The peer switched its `MICROPHONE`, `CAMERA` or `SCREEN` on or off."""

    receiver_index: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class ClientReady:
    """The client is set up and waits for bot-ready with the same id."""

    message_id: str
    version: str


@dataclass(frozen=True, slots=True)
class SendText:
    """The user typed something to the agent.

    Attributes:
        content: The text, of at most `MAX_TEXT_CHARS`.
        spoken: Whether the answer is spoken; otherwise it is only shown.
        message_id: The message's id, by which the client finds the typed line; None without one.
        is_request: Whether a refusal is a response to the message, and not an error about it.
    """

    content: str
    spoken: bool = True
    message_id: str | None = field(default=None, compare=False)
    is_request: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AppendToContext:
    """A text for the agent's context that is not answered.

    Attributes:
        agents: Whether these are the agent's words; otherwise they are the user's.
        content: The text, of at most `MAX_TEXT_CHARS`.
        message_id: The message's id; None without one.
    """

    agents: bool
    content: str
    message_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A request of the application's own; expects a server-response with the same id."""

    message_id: str
    type: str
    data: object


@dataclass(frozen=True, slots=True)
class Goodbye:
    """disconnect-bot: the client ends the call."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message of a known type that has no effect here."""

    type: str


Incoming = (
    Ping
    | TrackStatus
    | ClientReady
    | SendText
    | AppendToContext
    | ClientMessage
    | Goodbye
    | Ignored
)


def parse(message: str | bytes) -> Incoming:
    """Parse one message of the data channel.

    Raises:
        BadMessage: It is too long, not JSON, of an unknown type, or lacks a field of its type.
    """
    if isinstance(message, bytes):
        raise BadMessage("Messages must be text, not binary.")
    if len(message) > MAX_MESSAGE_CHARS:
        raise BadMessage(
            f"The message is too long: at most {MAX_MESSAGE_CHARS} characters are read."
        )
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
    message_id = raw_id if isinstance(raw_id, str) else None
    if message_id is not None and len(message_id) > MAX_ID_CHARS:
        raise BadMessage(f"The id of a message has at most {MAX_ID_CHARS} characters.")
    fields = data if isinstance(data, dict) else {}
    match kind:
        case "client-ready":
            if message_id is None:
                raise BadMessage("client-ready needs an id.")
            return ClientReady(message_id, str(fields.get("version", ""))[:40])
        case "send-text":
            options = fields.get("options")
            options = options if isinstance(options, dict) else {}
            content = _text(fields.get("content"), kind, about=message_id)
            if options.get("run_immediately") is False:
                return AppendToContext(False, content, message_id)
            spoken = options.get("audio_response") is not False
            return SendText(content, spoken, message_id)
        case "append-to-context":
            return _parse_context(fields, message_id)
        case "client-message":
            name = fields.get("t")
            if message_id is None or not isinstance(name, str):
                raise BadMessage("client-message needs an id and a type (t).", message_id)
            if len(name) > MAX_NAME_CHARS:
                raise BadMessage(
                    f"The type (t) of a client-message has at most {MAX_NAME_CHARS} characters.",
                    message_id,
                )
            return ClientMessage(message_id, name, fields.get("d"))
        case "disconnect-bot":
            return Goodbye()
        case "dtmf":
            return _parse_keys(fields, message_id)
        case "ui-event":
            return _parse_ui_event(fields, message_id)
        case str():
            if kind in _NOT_DONE:
                raise BadMessage(_NOT_DONE[kind], message_id)
            raise BadMessage(f"Messages of the type {kind[:40]!r} are not known here.", message_id)
        case _:
            raise BadMessage("The message has no type.", message_id)


def _parse_context(fields: dict[str, object], message_id: str | None) -> Incoming:
    role = fields.get("role")
    if role not in ("user", "assistant"):
        raise BadMessage('append-to-context needs a role, "user" or "assistant".', message_id)
    content = _text(_words(fields.get("content")), "append-to-context", message_id)
    if role == "user" and fields.get("run_immediately") is True:
        return SendText(content, message_id=message_id, is_request=True)
    return AppendToContext(role == "assistant", content, message_id)


def _parse_keys(fields: dict[str, object], message_id: str | None) -> Incoming:
    """Telephone keys: `buttons` in RTVI 2.1, a single `button` in earlier versions."""
    given = fields.get("buttons", [fields.get("button")])
    keys = [str(key) for key in given if key in KEYS] if isinstance(given, list) else []
    if not isinstance(given, list) or keys != given or not 0 < len(keys) <= MAX_KEYS:
        raise BadMessage(
            f"dtmf needs 1 to {MAX_KEYS} buttons, each one of 0 to 9, * and #.", message_id
        )
    return SendText(f"DTMF: {''.join(keys)}", message_id=message_id, is_request=True)


def _parse_ui_event(fields: dict[str, object], message_id: str | None) -> Incoming:
    name = fields.get("event")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME_CHARS:
        raise BadMessage(
            f"ui-event needs the name of an event, of at most {MAX_NAME_CHARS} characters.",
            message_id,
        )
    payload = fields.get("payload")
    try:
        detail = "" if payload is None else f" {json.dumps(payload, ensure_ascii=False)}"
    except RecursionError:
        raise BadMessage("The payload of the ui-event is nested too deeply.", message_id) from None
    event = _text(f"UI event: {name}{detail}", "ui-event", message_id)
    return AppendToContext(False, event, message_id)


def _words(content: object) -> object:
    """A content's text, its parts joined; None if one of the parts is not text."""
    if not isinstance(content, list):
        return content
    parts = [part.get("text") if isinstance(part, dict) else part for part in content]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n".join(texts) if len(texts) == len(parts) else None


def _text(
    content: object, kind: str, request_id: str | None = None, *, about: str | None = None
) -> str:
    """A typed text, with its control characters removed and its lone surrogates replaced."""
    if isinstance(content, str) and len(content) <= MAX_MESSAGE_CHARS:
        content = content.translate(_CONTROLS).encode("utf-8", "replace").decode()
    if not isinstance(content, str) or not content.strip():
        raise BadMessage(f"{kind} needs a content of some words.", request_id, about=about)
    if len(content) > MAX_TEXT_CHARS:
        raise BadMessage(
            f"The text is too long: {len(content)} characters, and at most {MAX_TEXT_CHARS} are "
            "taken at once. Send it in parts.",
            request_id,
            about=about,
        )
    return content


def message(
    kind: str, message_id: str, data: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Builds an RTVI message."""
    body: dict[str, object] = {"label": LABEL, "type": kind, "id": message_id}
    if data is not None:
        body["data"] = data
    return body


def bot_ready(message_id: str, about: Mapping[str, object]) -> dict[str, object]:
    """The answer to client-ready, with the same id; without it the client waits without limit."""
    return message("bot-ready", message_id, {"version": VERSION, "about": dict(about)})


def bot_output_new(
    message_id: str, segment: int, text: str, will_be_spoken: bool
) -> dict[str, object]:
    """A segment of the answer before any of it is played.

    `spoken` is a field of RTVI 1, which sent each sentence twice: when it was written, and when it
    was spoken.
    """
    data = {
        "text": text,
        "aggregated_by": "sentence",
        "segment_id": segment,
        "will_be_spoken": will_be_spoken,
        "spoken_status": "new",
        "spoken": False,
    }
    return message("bot-output", message_id, data)


def bot_output_progress(message_id: str, segment: int, text: str, spoken: str) -> dict[str, object]:
    """How much of a segment has been played. Clients move a cursor by it and add no text.

    Args:
        message_id: The message's id.
        segment: The segment's id.
        text: The segment's whole text.
        spoken: The beginning of the text that has been played.
    """
    completed = spoken == text
    data: dict[str, object] = {
        "text": text,
        "aggregated_by": "sentence",
        "segment_id": segment,
        "will_be_spoken": True,
        "spoken_status": "completed" if completed else "in-progress",
        "spoken_progress": {"accumulated_text": spoken, "remaining_text": text[len(spoken) :]},
    }
    if completed:
        data["spoken"] = True
    return message("bot-output", message_id, data)


def peer_left() -> dict[str, object]:
    """The transport's message for the end of a call."""
    return {"type": "signalling", "message": {"type": "peerLeft"}}
