"""Parses a client's messages after its setup: bytes in, typed messages out. No I/O.

The service is ``BidiGenerateContent`` of the Gemini Live API. One WebSocket message carries one of
``realtimeInput``, ``clientContent``, ``toolResponse`` or ``contextUpdate``, in the 2.5 dialect
(``mediaChunks``) or the 3.x one (``audio``, ``video``, ``text``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.habits import Habits
from vision_agent.local.api.json_fields import (
    INVALID_ARGUMENT,
    as_bytes,
    as_flag,
    as_list,
    as_object,
    as_text,
    field,
    invalid,
    load,
    unknown_name,
)
from vision_agent.local.api.message_parts import content_text, declared_functions
from vision_agent.local.api.models import LiveModel
from vision_agent.local.api.schema_validation import check_message
from vision_agent.local.api.turn_actions import Scheduling, ToolResult
from vision_agent.local.contract import INPUT_RATE_HZ, FunctionCall

RATES_HZ = (
    *(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200),
    96_000,
)
"""The accepted rates: those of sound cards and codecs."""

_RATES = {str(rate_hz): rate_hz for rate_hz in RATES_HZ}
_FRAME_MIME_TYPES = ("image/jpeg", "image/jpg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class Audio:
    """The caller's sound: s16le mono at ``rate_hz``, any whole number of samples."""

    pcm: bytes
    rate_hz: int = INPUT_RATE_HZ

    @property
    def duration_ms(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / 2 / self.rate_hz * 1000


@dataclass(frozen=True, slots=True)
class Video:
    """One frame of the caller's camera, encoded (JPEG, PNG or WebP)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """Text that the caller typed, as real-time input: it counts as activity."""

    text: str


@dataclass(frozen=True, slots=True)
class ActivityStart:
    """The client says the caller begins (automatic detection off)."""


@dataclass(frozen=True, slots=True)
class ActivityEnd:
    """The client says the caller has ended (automatic detection off)."""


@dataclass(frozen=True, slots=True)
class AudioStreamEnd:
    """The microphone was closed: the utterance ends here."""


@dataclass(frozen=True, slots=True)
class Content:
    """One entry of a conversation: role, text, images, and tools' calls and results."""

    role: str
    text: str
    images: tuple[bytes, ...] = ()
    results: tuple[ToolResult, ...] = ()
    calls: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientContent:
    """Conversation put in by the client; ``turn_complete`` asks for an answer."""

    contents: tuple[Content, ...]
    turn_complete: bool


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """The results of tools; Vertex clients may omit the ``id`` of a call."""

    results: tuple[ToolResult, ...]


@dataclass(frozen=True, slots=True)
class ContextUpdate:
    """A new instruction or new tools for the running session; None leaves them unchanged."""

    instruction: str | None
    tools: Sequence[Mapping[str, Any]] | None


ClientMessage = (
    Audio
    | Video
    | Text
    | ActivityStart
    | ActivityEnd
    | AudioStreamEnd
    | ClientContent
    | ToolResponse
    | ContextUpdate
)


def parse(
    raw: str | bytes, model: LiveModel, endpoint: Endpoint, habits: Habits | None = None
) -> list[ClientMessage]:
    """Everything one WebSocket message says, in the order it says it.

    Args:
        raw: The message, text or binary.
        model: The session's model: it decides the dialect.
        endpoint: Which service it was sent to.
        habits: How the model speaks there, if a scenario changes that.

    Raises:
        Refused: the message is malformed, or this model does not take it.
    """
    message = load(raw)
    if "setup" in message:
        raise invalid(INVALID_ARGUMENT)
    check_message(message, endpoint)
    habits = habits or model.habits_on(vertex=endpoint.vertex)
    parsed: list[ClientMessage] = []
    for name, value in message.items():
        match name:
            case "realtime_input" | "realtimeInput":
                parsed += _realtime(as_object(value, name), model, endpoint)
            case "client_content" | "clientContent":
                parsed.append(_content(as_object(value, name), habits))
            case "tool_response" | "toolResponse":
                parsed.append(_tool_response(as_object(value, name), habits))
            case "context_update" | "contextUpdate":
                parsed.append(_context_update(as_object(value, name)))
    return parsed


def _realtime(
    source: Mapping[str, Any], model: LiveModel, endpoint: Endpoint
) -> Iterator[ClientMessage]:
    chunks = field(source, "media_chunks")
    if chunks is not None and not model.takes_media_chunks:
        raise invalid(
            "realtime_input.media_chunks is deprecated. Use audio, video, or text instead."
        )
    if field(source, "activity_start") is not None:
        yield ActivityStart()
    for chunk in as_list(chunks, "media_chunks"):
        yield from _media(as_object(chunk, "media_chunks"), "realtime_input.media_chunks")
    if (audio := field(source, "audio")) is not None:
        yield from _audio(as_object(audio, "audio"), "realtime_input.audio")
    if (video := field(source, "video")) is not None:
        yield _frame(as_object(video, "video"), "realtime_input.video")
    if (text := field(source, "text")) is not None:
        if endpoint.vertex and not model.takes_text_on_vertex:
            raise unknown_name("text", "realtime_input")
        yield Text(as_text(text, "text"))
    if as_flag(field(source, "audio_stream_end"), "audio_stream_end"):
        yield AudioStreamEnd()
    if field(source, "activity_end") is not None:
        yield ActivityEnd()


def _media(blob: Mapping[str, Any], path: str) -> Iterator[Audio | Video]:
    if _mime_type(blob)[0].startswith("image/"):
        yield _frame(blob, path)
    else:
        yield from _audio(blob, path)


def _audio(blob: Mapping[str, Any], path: str) -> Iterator[Audio]:
    """The sound in pieces of a second or less, whatever came in one message."""
    mime_type, parameters = _mime_type(blob)
    if mime_type != "audio/pcm":
        raise invalid(f"Unsupported audio mime type '{mime_type}': send raw audio/pcm;rate=16000.")
    given = parameters.get("rate", str(INPUT_RATE_HZ))
    rate_hz = _RATES.get(given)
    if rate_hz is None:
        raise invalid(f"Unsupported audio sample rate '{given[:20]}': send audio/pcm;rate=16000.")
    pcm = as_bytes(field(blob, "data"), f"{path}.data")
    if len(pcm) % 2:
        raise invalid("Invalid audio: audio/pcm needs whole 16-bit samples.")
    for start in range(0, max(1, len(pcm)), 2 * rate_hz):
        yield Audio(pcm[start : start + 2 * rate_hz], rate_hz)


def _frame(blob: Mapping[str, Any], path: str) -> Video:
    mime_type, _ = _mime_type(blob)
    if mime_type not in _FRAME_MIME_TYPES:
        raise invalid(f"Unsupported video mime type '{mime_type}': send image/jpeg frames.")
    data = as_bytes(field(blob, "data"), f"{path}.data")
    if not data:
        raise invalid("Unable to process input image: it is empty.")
    return Video(data)


def _mime_type(blob: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    mime_type, *parameters = as_text(field(blob, "mime_type"), "mime_type").split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return mime_type.strip().lower(), {
        name.strip().lower(): value.strip() for name, _, value in pairs
    }


def _content(source: Mapping[str, Any], habits: Habits) -> ClientContent:
    turns = as_list(field(source, "turns"), "turns")
    return ClientContent(
        tuple(_turn(as_object(turn, "turns"), habits) for turn in turns),
        as_flag(field(source, "turn_complete"), "turn_complete"),
    )


def _turn(source: Mapping[str, Any], habits: Habits) -> Content:
    role = as_text(field(source, "role"), "role") or "user"
    if role not in ("user", "model"):
        raise invalid("Please use a valid role: user, model.")
    images, results, calls = [], [], []
    for part in as_list(field(source, "parts"), "parts"):
        blob = field(as_object(part, "part"), "inline_data")
        if blob is not None:
            # Sound in here corrupts a real session; it has to come as real-time input.
            path = "client_content.turns.parts.inline_data"
            images.append(_frame(as_object(blob, "inline_data"), path).data)
        response = field(part, "function_response")
        call = field(part, "function_call")
        if not habits.functions_in_history and (response is not None or call is not None):
            raise invalid(INVALID_ARGUMENT)
        if response is not None:
            results.append(_tool_result(as_object(response, "function_response"), habits))
        if call is not None:
            calls.append(_function_call(as_object(call, "function_call")))
    text = adk_dialect.without_labels(content_text(source)) if images else content_text(source)
    return Content(role, text, tuple(images), tuple(results), tuple(calls))


def _function_call(given: Mapping[str, Any]) -> FunctionCall:
    return FunctionCall(
        as_text(field(given, "id"), "id"),
        as_text(field(given, "name"), "name"),
        as_object(field(given, "args"), "args"),
    )


def _tool_response(source: Mapping[str, Any], habits: Habits) -> ToolResponse:
    responses = as_list(field(source, "function_responses"), "function_responses")
    return ToolResponse(
        tuple(_tool_result(as_object(given, "function_responses"), habits) for given in responses)
    )


def _tool_result(given: Mapping[str, Any], habits: Habits) -> ToolResult:
    response = dict(as_object(field(given, "response"), "response"))
    scheduling = as_text(field(given, "scheduling"), "scheduling").upper()
    if scheduling and not habits.scheduled_results:
        raise invalid("Function response scheduling is not supported for this model")
    within = response.get("scheduling")
    if not scheduling and isinstance(within, str) and within.upper() in Scheduling.__members__:
        # Where the service's first examples put it, and clients with them.
        scheduling = response.pop("scheduling").upper()
    return ToolResult(
        as_text(field(given, "id"), "id"),
        as_text(field(given, "name"), "name"),
        response,
        Scheduling.__members__.get(scheduling, Scheduling.WHEN_IDLE),
        as_flag(field(given, "will_continue"), "will_continue"),
        tuple(_result_images(given, habits)),
    )


def _result_images(given: Mapping[str, Any], habits: Habits) -> Iterator[bytes]:
    """The pictures beside a response; a model that sees none of them takes any kind of part."""
    path = "tool_response.function_responses.parts.inline_data"
    for part in as_list(field(given, "parts"), "parts"):
        blob = field(as_object(part, "part"), "inline_data")
        if blob is None or not habits.result_images:
            continue
        mime_type, _ = _mime_type(as_object(blob, "inline_data"))
        if mime_type in _FRAME_MIME_TYPES:
            yield _frame(as_object(blob, "inline_data"), path).data
        elif mime_type != "text/plain":
            raise invalid(INVALID_ARGUMENT)


def _context_update(source: Mapping[str, Any]) -> ContextUpdate:
    instruction = field(source, "system_instruction")
    tools = field(source, "tools")
    if isinstance(tools, Mapping):
        tools = field(tools, "tools") or []
    return ContextUpdate(
        None if instruction is None else content_text(instruction),
        None if tools is None else declared_functions(tools),
    )
