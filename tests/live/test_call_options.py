import pytest
from google.adk.events.event import Event
from google.genai import types

from vision_agent import Settings
from vision_agent.live.call_options import CallOptions, check_options
from vision_agent.live.events import AgentTranscript
from vision_agent.live.models import LIVE_MODELS, ModelError
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import read
from vision_agent.local.api.models import MODELS


def refusal(**given) -> str:
    with pytest.raises(ModelError) as refused:
        CallOptions.read(given)
    return str(refused.value)


def test_both_modalities_are_refused_with_how_to_get_both():
    text = refusal(modalities=["TEXT", "audio"])
    assert "one modality" in text
    assert "output_transcription" in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"modalities": "IMAGE"}, "can't answer in IMAGE"),
        ({"modalities": 7}, "AUDIO or TEXT"),
        ({"voice": "Korre"}, "Nearest: Kore"),
        ({"voice": 7}, "voice"),
        ({"language": "English please"}, "language code"),
        ({"affective_dialog": "perhaps"}, "affective_dialog"),
    ],
)
def test_what_can_not_be_is_refused_by_name(given, words):
    assert words in refusal(**given)


def test_a_call_asks_for_its_own_options_in_place_of_the_servers():
    server = CallOptions.read({"voice": "puck", "language": "de-DE", "unknown": 1})
    call = server.but({"voice": "Kore", "input_transcription": False, "language": None})
    assert (call.voice, call.language, call.input_transcription) == ("Kore", "de-DE", False)
    assert server.voice == "Puck"


@pytest.mark.parametrize(
    "model",
    [model for model in LIVE_MODELS if model.role == "answer" and not model.text_out],
    ids=lambda m: m.name,
)
def test_a_model_of_the_service_that_only_speaks_is_not_asked_for_text(model):
    with pytest.raises(ModelError, match="in sound only"):
        check_options(CallOptions(modalities=("TEXT",)), f"models/{model.name}")


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        ("gemini-3.8-live", {"affective_dialog": True}, "no affective dialog.*native-audio"),
        ("gemini-3.8-live", {"proactive_audio": False}, "always proactive"),
        ("gemini-3.1-flash-live-preview", {"proactive_audio": True}, "no proactive audio.*3.8"),
        ("gemini-robotics-er-2-streaming-preview", {}, "in text only"),
        ("gemini-3.5-transcribe-live", {}, "answers nothing"),
    ],
)
def test_what_a_model_has_not_is_refused_with_those_that_have_it(model, asked, words):
    with pytest.raises(ModelError, match=words):
        check_options(CallOptions.read(asked), model)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("gemini-2.5-flash-native-audio-preview-12-2025", {"affective_dialog": True}),
        ("gemini-live-2.5-flash-native-audio", {"proactive_audio": True}),
        ("gemini-3.8-live", {"proactive_audio": True}),
        ("local", {"modalities": "text", "affective_dialog": True, "proactive_audio": True}),
        ("gemini-9-live-preview", {"modalities": "text", "affective_dialog": True}),
    ],
)
def test_what_a_model_has_is_let_through_and_a_newer_model_is_left_to_the_service(model, asked):
    check_options(CallOptions.read(asked), model)


def test_the_list_agrees_with_the_local_live_api_that_stands_in_for_it():
    assert {model.name for model in LIVE_MODELS} == MODELS.keys() - {"local"}
    for ours in LIVE_MODELS:
        theirs = MODELS[ours.name]
        assert (ours.ai_studio, ours.vertex) == (theirs.ai_studio, theirs.vertex)
        assert (ours.sound_out, ours.text_out) == (theirs.sound_out, theirs.text_out)
        assert ours.thinking == (theirs.thinking != "none")
        assert (ours.role, ours.shut_down) == (theirs.role, theirs.shut_down)
        assert ours.background_tools == theirs.background_tools
        assert (ours.proactive == "always") == theirs.always_proactive


def test_the_options_reach_the_run_config():
    config = make_run_config(
        CallOptions.read(
            {"voice": "kore", "affective_dialog": True, "proactive_audio": True}
            | {"input_transcription": False}
        )
    )
    assert config.speech_config.voice_config.prebuilt_voice_config.voice_name == "Kore"
    assert config.enable_affective_dialog is True
    assert config.proactivity.proactive_audio is True
    assert config.input_audio_transcription is None
    assert config.output_audio_transcription is not None
    text = make_run_config(CallOptions.read({"modalities": ["TEXT"], "voice": "Kore"}))
    assert text.response_modalities == ["TEXT"]
    assert text.speech_config is None
    assert text.output_audio_transcription is None


def test_a_text_answer_is_the_agents_transcript_and_its_thoughts_are_not():
    def said(partial: bool, *parts: types.Part) -> Event:
        content = types.Content(role="model", parts=list(parts))
        return Event(author="agent", partial=partial, content=content)

    thought = types.Part(text="let me think", thought=True)
    assert list(read(said(True, thought, types.Part(text="Hel")))) == [
        AgentTranscript("Hel", False, "agent")
    ]
    assert list(read(said(False, types.Part(text="Hello")))) == [
        AgentTranscript("Hello", True, "agent")
    ]


def test_the_settings_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("VISION_AGENT_MODALITIES", "text")
    monkeypatch.setenv("VISION_AGENT_PROACTIVE_AUDIO", "")
    monkeypatch.setenv("VISION_AGENT_AFFECTIVE_DIALOG", "true")
    options = CallOptions.read(Settings(_env_file=None).model_dump())
    assert (options.modality, options.proactive_audio, options.affective_dialog) == (
        "TEXT",
        None,
        True,
    )
