"""The setup message: how it is read, and the code and words of each refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vision_agent.local.api.context_window import Compression
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.habits import NATIVE_2_5
from vision_agent.local.api.json_fields import Refused
from vision_agent.local.api.models import MODELS, find_voice
from vision_agent.local.api.setup_message import Setup, load_setup, read_setup
from vision_agent.local.contract import HearingOptions
from vision_agent.local.engine.speech.voices import VOICES

STUDIO = Endpoint(vertex=False, version="v1alpha")
VERTEX = Endpoint(vertex=True, version="v1beta1")

CAPTURED: dict[str, Any] = {
    "setup": {
        "model": "models/gemini-2.5-flash-native-audio-preview-12-2025",
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {
                "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}},
                "language_code": "en-US",
            },
            "enableAffectiveDialog": True,
        },
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "system"},
        "tools": [
            {"functionDeclarations": [{"name": "get_time", "parameters_json_schema": {}}]},
            {"googleSearch": {}},
        ],
        "sessionResumption": {"handle": "H2"},
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "realtimeInputConfig": {
            "automatic_activity_detection": {"disabled": True, "silence_duration_ms": 300},
            "activity_handling": "NO_INTERRUPTION",
            "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
        },
        "contextWindowCompression": {
            "trigger_tokens": 25600,
            "sliding_window": {"target_tokens": 12800},
        },
        "proactivity": {"proactive_audio": True},
        "historyConfig": {"initial_history_in_client_content": True},
    }
}


def setup(model: str = "local", endpoint: Endpoint = STUDIO, **fields: Any) -> Setup:
    message = json.dumps({"setup": {"model": model, **fields}})
    return read_setup(load_setup(message), endpoint)


def refusal(*args: Any, **fields: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        setup(*args, **fields)
    return refused.value.code, refused.value.reason


def test_a_captured_setup_is_read_completely() -> None:
    assert read_setup(load_setup(json.dumps(CAPTURED)), STUDIO) == Setup(
        endpoint=STUDIO,
        model=MODELS["gemini-2.5-flash-native-audio-preview-12-2025"],
        habits=NATIVE_2_5,
        thoughts=True,
        voice_name="Kore",
        language_code="en-US",
        instruction="Be brief.",
        tools=({"name": "get_time", "parameters_json_schema": {}},),
        input_transcription=True,
        output_transcription=True,
        automatic_detection=False,
        hearing=HearingOptions(silence_ms=300),
        barge_in=False,
        coverage="EVERYTHING",
        resumption=True,
        handle="H2",
        history_first=True,
        proactive=True,
        asks_proactive=True,
        compression=Compression(25600, 12800),
    )


@pytest.mark.parametrize("endpoint", [STUDIO, VERTEX])
def test_a_bare_setup_has_the_defaults_of_its_service(endpoint: Endpoint) -> None:
    readiness = "LOW" if endpoint.vertex else "HIGH"
    assert setup(endpoint=endpoint) == Setup(
        endpoint=endpoint,
        model=MODELS["local"],
        habits=MODELS["local"].habits_on(vertex=endpoint.vertex),
        coverage="ACTIVITY_AND_VIDEO",
        hearing=HearingOptions(start_sensitivity=readiness, end_sensitivity=readiness),
    )


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (None, True),
        ({}, True),
        ({"includeThoughts": False}, False),
        ({"thinkingBudget": 0}, False),
    ],
)
def test_thoughts_are_sent_on_2_5_unless_thinking_is_off(
    thinking: dict[str, Any] | None, sent: bool
) -> None:
    model = "models/gemini-2.5-flash-native-audio-latest"
    generation = {} if thinking is None else {"thinkingConfig": thinking}
    assert setup(model, generationConfig=generation).thoughts is sent


def test_an_utterance_ends_after_the_silence_of_the_model_and_no_client_gets_a_longer_one() -> None:
    def silence(model: str, asked_ms: int | None = None) -> int:
        detection = {} if asked_ms is None else {"silenceDurationMs": asked_ms}
        realtime = {"automaticActivityDetection": detection}
        return setup(model, realtimeInputConfig=realtime).hearing.silence_ms

    assert [silence(model) for model in ("local", "gemini-3.8-live")] == [600, 1200]
    assert silence("gemini-3.1-flash-live-preview") == 1000
    assert silence("gemini-3.8-live", 300) == 300
    assert silence("gemini-3.8-live", 6000) == 2000


def test_a_scenario_may_change_a_habit() -> None:
    raw = json.dumps({"setup": {"model": "gemini-3.8-live"}})
    assert read_setup(load_setup(raw), STUDIO, {"silence_ms": 600}).hearing.silence_ms == 600


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("models/gemini-3.8-live", STUDIO),
        ("gemini-3.8-live", STUDIO),
        ("publishers/google/models/gemini-3.8-live", VERTEX),
        ("projects/p/locations/l/publishers/google/models/gemini-3.8-live", VERTEX),
    ],
)
def test_a_model_is_found_under_each_of_its_resource_names(name: str, endpoint: Endpoint) -> None:
    assert setup(name, endpoint).model.name == "gemini-3.8-live"


@pytest.mark.parametrize("name", ["gemini-2.5-pro", "", "gemini-live-2.5-flash-native-audio"])
def test_ai_studio_does_not_find_models_that_are_not_live_there(name: str) -> None:
    code, reason = refusal(f"models/{name}")
    assert code == 1008
    assert reason.startswith(f"models/{name} is not found for API version v1alpha, or is not ")
    assert len(reason.encode()) <= 123


def test_vertex_does_not_find_models_that_are_not_live_there() -> None:
    name = "publishers/google/models/gemini-2.5-pro"
    code, reason = refusal(f"projects/a-project/locations/us-central1/{name}", VERTEX)
    assert code == 1008
    assert reason.startswith(f"Publisher model `{name}` was not found")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"generationConfig": {"responseModalities": ["TEXT", "AUDIO"]}},
            "At most one response modality",
        ),
        ({"generationConfig": {"responseModalities": ["IMAGE"]}}, "modalities (IMAGE) is not"),
        ({"generationConfig": []}, "Proto field is not repeating, cannot start list."),
        ({"tools": [{"functionDeclarations": [{}]}]}, "a name is needed"),
        (
            {"inputAudioTranscription": {}, "systemInstruction": 3},
            "'setup.system_instruction' (type.",
        ),
        (
            {"realtimeInputConfig": {"automaticActivityDetection": {"silenceDurationMs": -1}}},
            "'silence_duration_ms': a whole number, 0 or more,",
        ),
    ],
)
def test_a_setup_that_asks_for_the_impossible_is_refused(
    fields: dict[str, Any], words: str
) -> None:
    code, reason = refusal(**fields)
    assert code == 1007
    assert words in reason


def test_an_unknown_voice_is_refused_by_its_name() -> None:
    speech = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "NotAVoice"}}}
    assert refusal(generationConfig={"speechConfig": speech}) == (
        1007,
        "Requested voice api_name 'NotAVoice' is not available for model local",
    )


@pytest.mark.parametrize(
    ("model", "modality"),
    [("gemini-3.8-live", "TEXT"), ("gemini-robotics-er-2-streaming-preview", "AUDIO")],
)
def test_a_model_answers_in_the_modality_that_it_has(model: str, modality: str) -> None:
    other = {"AUDIO": "TEXT", "TEXT": "AUDIO"}[modality]
    assert setup(model, generationConfig={"responseModalities": [other]}).model.name == model
    code, reason = refusal(model, generationConfig={"responseModalities": [modality]})
    assert code == 1007
    words = "The requested combination of response modalities"
    assert f"{words} ({modality}) is not supported by the model. models/{model}".startswith(reason)


def test_a_model_with_a_voice_to_read_to_it_answers_either_way() -> None:
    for modality in ("AUDIO", "TEXT"):
        generation = {"responseModalities": [modality]}
        assert setup("gemini-live-2.5-flash", VERTEX, generationConfig=generation)


@pytest.mark.parametrize(
    ("model", "thinking", "words"),
    [
        ("gemini-3.8-live", {}, "Thinking level is not supported for this model."),
        ("gemini-3.8-live-extended-thinking", None, "Thinking level must be specified for this"),
        ("gemini-3.8-live-extended-thinking", {"includeThoughts": True}, "Thinking level must be"),
        ("gemini-3.8-live-extended-thinking", {"thinkingLevel": "MINIMAL"}, "level MINIMAL is not"),
    ],
)
def test_thinking_is_configured_as_the_model_wants_it(
    model: str, thinking: dict[str, Any] | None, words: str
) -> None:
    code, reason = refusal(model, generationConfig={"thinkingConfig": thinking})
    assert code == 1007
    assert words in reason
    for level in ("LOW", "HIGH", "XHIGH"):
        generation = {"thinkingConfig": {"thinkingLevel": level}}
        assert setup("gemini-3.8-live-extended-thinking", generationConfig=generation)


def test_affective_dialog_is_taken_refused_or_refused_when_it_is_used() -> None:
    affective = {"enableAffectiveDialog": True}
    assert not setup(
        "gemini-2.5-flash-native-audio-latest", generationConfig=affective
    ).ends_at_first_message
    assert setup("gemini-3.8-live", generationConfig=affective).ends_at_first_message
    assert refusal("gemini-3.1-flash-live-preview", generationConfig=affective) == (
        1007,
        "Request contains an invalid argument.",
    )
    assert setup("gemini-3.1-flash-live-preview", generationConfig={"enableAffectiveDialog": False})


def test_native_audio_of_ai_studio_takes_documented_languages_only() -> None:
    generation = {"speechConfig": {"languageCode": "sv-SE"}}
    assert refusal("gemini-2.5-flash-native-audio-latest", generationConfig=generation) == (
        1007,
        "Unsupported language code 'sv-SE'",
    )
    assert setup("gemini-3.8-live", generationConfig=generation).language_code == "sv-SE"


def test_a_handle_of_null_is_refused_by_one_model() -> None:
    assert setup("gemini-3.8-live", sessionResumption={"handle": None}).handle is None
    assert setup("gemini-3.1-flash-live-preview", sessionResumption={}).resumption
    assert refusal("gemini-3.1-flash-live-preview", sessionResumption={"handle": None}) == (
        1007,
        "Request contains an invalid argument.",
    )


def test_proactivity_cannot_be_turned_off_where_it_is_always_on() -> None:
    code, reason = refusal("gemini-3.8-live", proactivity={"proactive_audio": False})
    assert code == 1007
    assert "Proactive audio cannot be disabled" in reason
    assert setup("gemini-3.1-flash-live-preview", proactivity={"proactive_audio": False})
    assert setup("gemini-3.8-live", proactivity={"proactive_audio": True})


@pytest.mark.parametrize("raw", ['{"realtime_input": {}}', "{}", '{"setup": {}, "tools": []}'])
def test_anything_but_a_setup_is_refused_as_first_message(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        read_setup(load_setup(raw), STUDIO)
    assert (refused.value.code, refused.value.reason) == (
        1007,
        "Request contains an invalid argument.",
    )


def test_all_thirty_voices_are_known_as_they_are_spelt() -> None:
    assert len(VOICES) == 30
    assert [find_voice(voice) for voice in VOICES] == list(VOICES)
    assert find_voice("kore") is None
