import pytest

from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import LIVE_MODELS, ModelError
from vision_agent.live.option_checks import check_options
from vision_agent.local.api.models import MODELS

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"


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
        ("gemini-3.1-flash-live-preview", {"proactive_video": True}, "no proactive_video.*3.8"),
        ("gemini-3.8-live", {"thinking_level": "low"}, "takes no thinking_level.*3.1-flash"),
        ("models/gemini-3.8-live", {"thinking_budget": 0}, "takes no thinking_budget.*2.5-flash"),
        ("gemini-robotics-er-2-streaming-preview", {}, "in text only"),
        ("gemini-3.5-transcribe-live", {}, "answers nothing"),
        ("gemini-3.5-live-translate-preview", {}, "only translates.*give translate_to"),
        ("gemini-3.8-live-extended-thinking", {}, "needs a thinking_level: low, medium"),
        (
            "gemini-3.8-live-extended-thinking",
            {"thinking_level": "minimal"},
            "needs a thinking_level: low, medium",
        ),
        ("gemini-3.8-live-extended-thinking", {"thinking_budget": 5}, "not a thinking_budget"),
        (NATIVE, {"thinking_level": "low"}, "takes a thinking_budget"),
        ("gemini-3.8-live", {"translate_to": "de"}, "does not translate"),
    ],
)
def test_what_a_model_has_not_is_refused_with_those_that_have_it(model, asked, words):
    with pytest.raises(ModelError, match=words):
        check_options(CallOptions.read(asked), model)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (NATIVE, {"affective_dialog": True, "thinking_budget": 0}),
        ("gemini-3.1-flash-live-preview", {"thinking_level": "minimal"}),
        ("gemini-3.8-live", {"proactive_video": True, "silence_ms": 800}),
        ("gemini-3.8-live-extended-thinking", {"thinking_level": "high"}),
        ("gemini-3.5-live-translate-preview", {"translate_to": "de", "translate_echo": True}),
        ("gemini-live-2.5-flash-native-audio", {"proactive_audio": True}),
        ("gemini-3.8-live", {"proactive_audio": True}),
        ("local", {"modalities": "text", "affective_dialog": True, "proactive_audio": True}),
        ("local", {"thinking_level": "low", "translate_to": "de", "proactive_video": True}),
        ("gemini-9-live-preview", {"modalities": "text", "affective_dialog": True}),
    ],
)
def test_what_a_model_has_is_let_through_and_a_newer_model_is_left_to_the_service(model, asked):
    check_options(CallOptions.read(asked), model)


def test_the_list_agrees_with_the_local_live_api_that_stands_in_for_it():
    assert {model.name for model in LIVE_MODELS} == MODELS.keys() - {"local"}
    taken = {"never": "none", "required": "level"}
    for ours in LIVE_MODELS:
        theirs = MODELS[ours.name]
        assert (ours.ai_studio, ours.vertex) == (theirs.ai_studio, theirs.vertex)
        assert (ours.sound_out, ours.text_out) == (theirs.sound_out, theirs.text_out)
        assert taken.get(ours.thinking, "any") == theirs.thinking
        assert (ours.role, ours.shut_down) == (theirs.role, theirs.shut_down)
        assert ours.background_tools == theirs.background_tools
        assert (ours.proactive == "always") == theirs.always_proactive


def test_an_unknown_voice_is_tried_at_the_service_and_is_a_mistake_on_this_machine():
    korre = CallOptions(voice="Korre")
    check_options(korre, "gemini-3.8-live")
    for model in ("local", "gemini-3.8-live"):
        with pytest.raises(ModelError, match=r"'Korre'.*Nearest: Kore"):
            check_options(korre, model, local=True)


def test_proactivity_is_refused_where_the_pinned_version_of_the_api_has_none():
    asked = CallOptions(proactive_audio=True)
    with pytest.raises(ModelError, match=r"proactive_audio: v1beta of the Live API has no"):
        check_options(asked, NATIVE, api_version="v1beta")
    for version in ("v1alpha", "v1beta1", None):
        check_options(asked, NATIVE, api_version=version)
    check_options(CallOptions(), NATIVE, api_version="v1beta")
