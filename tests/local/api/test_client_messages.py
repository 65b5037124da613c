"""Parsing of client messages: both spellings, both base64 alphabets, both dialects, nonsense."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.api.client_messages import (
    ActivityEnd,
    ActivityStart,
    Audio,
    AudioStreamEnd,
    ClientContent,
    Content,
    ContextUpdate,
    Text,
    ToolResponse,
    Video,
    parse,
)
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused, as_bytes, as_count, field
from vision_agent.local.api.models import MODELS
from vision_agent.local.api.turn_actions import Scheduling, ToolResult
from vision_agent.local.contract import FunctionCall

STUDIO = Endpoint(vertex=False, version="v1alpha")
VERTEX = Endpoint(vertex=True, version="v1beta1")
MODEL_2 = MODELS["gemini-2.5-flash-native-audio-preview-12-2025"]
MODEL_3 = MODELS["gemini-3.8-live"]
PCM = bytes(range(256)) * 2
SAFE = base64.urlsafe_b64encode(PCM).decode()
PLAIN = base64.b64encode(PCM).decode()


def read(message: Any, model: Any = MODEL_2) -> list[Any]:
    return parse(json.dumps(message), model, STUDIO)


def refusal(message: Any, model: Any = MODEL_2) -> tuple[int, str]:
    raw = message if isinstance(message, str | bytes) else json.dumps(message)
    with pytest.raises(Refused) as refused:
        parse(raw, model, STUDIO)
    return refused.value.code, refused.value.reason


def test_vertex_takes_typed_text_as_real_time_input_of_3_x_only() -> None:
    raw = json.dumps({"realtimeInput": {"text": "hello"}})
    assert parse(raw, MODEL_3, VERTEX) == [Text("hello")]
    with pytest.raises(Refused, match="Unknown name \"text\" at 'realtime_input'"):
        parse(raw, MODELS["gemini-live-2.5-flash-native-audio"], VERTEX)


@pytest.mark.parametrize("data", [SAFE, PLAIN, SAFE.rstrip("="), PLAIN.rstrip("=")])
def test_either_base64_alphabet_is_taken_padded_or_not(data: str) -> None:
    blob = {"data": data, "mimeType": "audio/pcm;rate=16000"}
    assert read({"realtime_input": {"audio": blob}}) == [Audio(PCM)]


@given(st.binary(max_size=100))
def test_base64_gives_back_every_byte(data: bytes) -> None:
    assert as_bytes(base64.urlsafe_b64encode(data).decode(), "data") == data
    assert as_bytes(base64.b64encode(data).decode(), "data") == data


@pytest.mark.parametrize(
    "message",
    [
        {"realtime_input": {"mediaChunks": [{"data": SAFE, "mime_type": "audio/pcm;rate=16000"}]}},
        {"realtimeInput": {"media_chunks": [{"data": SAFE, "mimeType": "audio/pcm; RATE=16000"}]}},
        {"realtimeInput": {"audio": {"data": SAFE, "mime_type": "audio/pcm"}}},
    ],
)
def test_either_spelling_of_a_name_is_taken(message: Any) -> None:
    assert read(message) == [Audio(PCM)]


def test_one_message_may_carry_sound_and_frames() -> None:
    chunks = [
        {"data": SAFE, "mime_type": "audio/pcm;rate=16000"},
        {"data": SAFE, "mime_type": "image/jpeg"},
    ]
    assert read({"realtime_input": {"mediaChunks": chunks}}) == [Audio(PCM), Video(PCM)]


def test_the_signals_are_read_in_the_order_they_make_sense_in() -> None:
    message = {
        "realtime_input": {
            "activityEnd": {},
            "audioStreamEnd": True,
            "text": "hi",
            "activityStart": {},
        }
    }
    assert read(message) == [ActivityStart(), Text("hi"), AudioStreamEnd(), ActivityEnd()]


def test_content_keeps_roles_texts_and_frames() -> None:
    turns = [
        {"role": "user", "parts": [{"text": "look"}, {"text": "here"}]},
        {"role": "model", "parts": [{"text": "I see"}]},
        {"parts": [{"inlineData": {"mimeType": "image/png", "data": SAFE}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
    ]
    assert read({"client_content": {"turns": turns, "turnComplete": True}}, MODEL_3) == [
        ClientContent(
            (
                Content("user", "look\nhere"),
                Content("model", "I see"),
                Content("user", "", (PCM,)),
                Content("model", "", calls=(FunctionCall("", "f", {"x": 1}),)),
            ),
            True,
        )
    ]


def test_tool_results_keep_whatever_the_tool_said() -> None:
    response = {"camelCase": {"snake_case": [1, None]}, "output": "text"}
    message = {
        "tool_response": {"functionResponses": [{"id": "1", "name": "f", "response": response}]}
    }
    [read_back] = read(message)
    assert read_back == ToolResponse((ToolResult("1", "f", response),))


@pytest.mark.parametrize(
    "given",
    [
        {"scheduling": "INTERRUPT", "response": {"result": 1}},
        {"scheduling": "interrupt", "response": {"result": 1}},
        {"response": {"result": 1, "scheduling": "INTERRUPT"}},
    ],
)
@pytest.mark.parametrize("more", ["willContinue", "will_continue"])
def test_a_tool_result_says_what_to_do_with_it(given: Any, more: str) -> None:
    [read_back] = read({"toolResponse": {"function_responses": [{"id": "1", **given, more: True}]}})
    assert read_back == ToolResponse(
        (ToolResult("1", "", {"result": 1}, Scheduling.INTERRUPT, True),)
    )


def test_what_a_tool_calls_scheduling_stays_its_own_unless_it_is_ours() -> None:
    response = {"scheduling": "every Monday"}
    [read_back] = read(
        {"tool_response": {"functionResponses": [{"id": "1", "response": response}]}}
    )
    assert read_back.results[0].response == response
    assert read_back.results[0].scheduling is Scheduling.WHEN_IDLE


def test_a_context_update_may_change_one_thing_only() -> None:
    update = {"systemInstruction": {"parts": [{"text": "Be brief."}]}}
    assert read({"contextUpdate": update}) == [ContextUpdate("Be brief.", None)]
    assert read({"context_update": {"tools": {"tools": []}}}) == [ContextUpdate(None, ())]


def test_null_is_the_same_as_absent() -> None:
    assert field({"turn_complete": None, "turnComplete": True}, "turn_complete") is True
    assert read({"client_content": {"turns": None}}) == [ClientContent((), False)]


@pytest.mark.parametrize("raw", ["", "{", "nonsense", b"\xff\xfe", "[" * 100_000])
def test_what_is_not_json_is_refused(raw: str | bytes) -> None:
    assert refusal(raw) == (1007, "Invalid JSON payload received. Unexpected token.")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ([], 'Unknown name "": Root element must be a message.'),
        ({"speech": {}}, 'Unknown name "speech": Cannot find field.'),
        ({"setup": {}}, "Request contains an invalid argument."),
        ({"realtime_input": []}, "Proto field is not repeating, cannot start list."),
        (
            {"realtime_input": {"text": 3}},
            "Invalid value at 'realtime_input.text' (TYPE_STRING), 3",
        ),
        (
            {"realtime_input": {"audioStreamEnd": "yes"}},
            "'realtime_input.audio_stream_end' (TYPE_BOOL), \"yes\"",
        ),
        ({"realtime_input": {"audio": {"mime_type": "audio/wav"}}}, "audio mime type 'audio/wav'"),
        ({"realtime_input": {"audio": {}}}, "Unsupported audio mime type ''"),
        (
            {"realtime_input": {"audio": {"mime_type": "audio/pcm;rate=4410"}}},
            "Unsupported audio sample rate '4410': send audio/pcm;rate=16000.",
        ),
        (
            {"realtime_input": {"audio": {"mime_type": "audio/pcm", "data": "AA"}}},
            "audio/pcm needs whole 16-bit samples",
        ),
        (
            {"realtime_input": {"audio": {"mime_type": "audio/pcm", "data": "?"}}},
            "Base64 decoding failed",
        ),
        ({"realtime_input": {"video": {"mime_type": "video/mp4"}}}, "mime type 'video/mp4'"),
        ({"realtime_input": {"video": {"mime_type": "image/jpeg"}}}, "it is empty"),
        ({"client_content": {"turns": "hello"}}, "'client_content.turns' (type.googleapis.com/"),
        ({"client_content": {"turns": [{"role": "agent"}]}}, "a valid role: user, model"),
        (
            {"client_content": {"turns": [{"parts": [{"inlineData": {"mimeType": "audio/pcm"}}]}]}},
            "mime type 'audio/pcm'",
        ),
        (
            {"tool_response": {"functionResponses": [3]}},
            "'tool_response.function_responses[0]' (type.",
        ),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_with_what_is_wrong(
    message: Any, words: str
) -> None:
    code, reason = refusal(message)
    assert code == 1007
    assert words in reason


def test_3x_models_refuse_media_chunks() -> None:
    message = {"realtime_input": {"mediaChunks": []}}
    assert refusal(message, MODEL_3) == (
        1007,
        "realtime_input.media_chunks is deprecated. Use audio, video, or text instead.",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "realtime_input",
                    "clientContent",
                    "toolResponse",
                    "context_update",
                    "mediaChunks",
                    "audio",
                    "video",
                    "text",
                    "data",
                    "mime_type",
                    "turns",
                    "role",
                    "parts",
                    "inlineData",
                    "functionResponses",
                    "response",
                    "tools",
                    "functionDeclarations",
                    "system_instruction",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_either_read_or_refused(message: Any) -> None:
    try:
        parse(json.dumps(message), MODEL_2, STUDIO)
    except Refused as error:
        refused = error
    else:
        return
    assert refused.code == 1007
    assert len(refused.reason.encode()) <= 123


def test_a_reason_is_cut_to_what_a_close_frame_holds() -> None:
    refused = Refused(1008, "ä" * 100)
    assert refused.reason == "ä" * 61


@pytest.mark.parametrize(
    "rate",
    ["000016000999", "016000", "16000.0", "-16000", "9" * 5000, "191999", "\u0661\u0666000", ""],
)
def test_a_rate_is_one_of_the_list_or_refused(rate: str) -> None:
    audio = {"mime_type": f"audio/pcm;rate={rate}", "data": "AAAA"}
    code, words = refusal({"realtime_input": {"audio": audio}})
    assert code == 1007
    assert words.startswith("Unsupported audio sample rate")


def test_a_long_sound_comes_in_pieces_of_a_second() -> None:
    pcm = bytes(2 * 8_000 * 3 + 2)
    blob = {"data": base64.b64encode(pcm).decode(), "mime_type": "audio/pcm;rate=8000"}
    pieces = read({"realtime_input": {"audio": blob}})
    assert [len(piece.pcm) for piece in pieces] == [16_000, 16_000, 16_000, 2]
    assert all(piece.rate_hz == 8_000 for piece in pieces)


@pytest.mark.parametrize("count", ["9" * 20, "9" * 5000, "1.5", "-1"])
def test_a_count_of_more_digits_than_protobuf_has_is_refused(count: str) -> None:
    with pytest.raises(Refused):
        as_count(count, "count")
    assert as_count("0000000000016", "count") == 16
