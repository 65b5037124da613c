import pytest

from vision_agent.live.models import (
    LIVE_MODELS,
    VOICES,
    ModelError,
    check_model,
    is_live,
    official_voice,
    unlisted_model,
    unlisted_voice,
)


@pytest.mark.parametrize("model", LIVE_MODELS, ids=lambda m: m.name)
def test_every_listed_model_passes_where_it_is_served(model):
    assert is_live(model.name)
    if model.ai_studio:
        check_model(f"models/{model.name}", vertex=False)
    if model.vertex:
        check_model(f"projects/p/locations/l/publishers/google/models/{model.name}", vertex=True)


def test_a_model_that_is_not_in_the_list_is_tried_with_a_word_about_it():
    for name in ("gemini-4-omni", "gemini-robotics-er-9", "models/gemini-4.2-live-preview"):
        check_model(name, vertex=False)
        text = unlisted_model(name, vertex=False)
        assert "it is tried as it is" in text
        assert "gemini-3.8-live" in text
        assert "Did you mean" not in text
    assert unlisted_model("models/gemini-3.8-live", vertex=False) is None


def test_a_misspelt_model_is_told_what_may_be_meant():
    text = unlisted_model("gemini-3.8-lvie", vertex=False)
    assert "Did you mean gemini-3.8-live?" in text


@pytest.mark.parametrize(
    "name",
    [
        "gemini-2.5-pro",
        "models/gemini-2.0-flash",
        "gemini-3.8-flash-lite-preview-09-2026",
        "gpt-4o",
    ],
)
def test_a_model_that_is_known_not_to_be_live_is_refused_with_names_that_would_work(name):
    with pytest.raises(ModelError, match=r"not a live model.*gemini-3\.8-live"):
        check_model(name, vertex=False)


@pytest.mark.parametrize("name", ["", "models/", "gemini 3", "x" * 400, "a\nb"])
def test_what_can_not_be_a_name_is_refused(name):
    with pytest.raises(ModelError, match="can't be the name"):
        check_model(name, vertex=False)


def test_adks_own_default_live_model_is_refused_with_an_ai_studio_key():
    with pytest.raises(ModelError, match="served by Vertex AI"):
        check_model("gemini-live-2.5-flash-native-audio", vertex=False)


def test_a_voice_is_found_in_any_case():
    assert official_voice("kore") == "Kore"
    assert unlisted_voice("Kore") is None
    assert len(set(VOICES)) == 30


def test_an_unknown_voice_is_kept_with_a_word_about_the_nearest_ones():
    assert official_voice("en-us-tavi ") == "en-us-tavi"
    text = unlisted_voice("Korre")
    assert "'Korre'" in text
    assert "Kore" in text
