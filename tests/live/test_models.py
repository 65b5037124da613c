import pytest

from vision_agent.live.models import (
    LIVE_MODELS,
    VOICES,
    ModelError,
    check_model,
    check_voice,
    is_live,
)


@pytest.mark.parametrize("model", LIVE_MODELS, ids=lambda m: m.name)
def test_every_listed_model_passes_where_it_is_served(model):
    assert is_live(model.name)
    if model.ai_studio:
        check_model(f"models/{model.name}", vertex=False)
    if model.vertex:
        check_model(f"projects/p/locations/l/publishers/google/models/{model.name}", vertex=True)


def test_a_model_that_is_not_live_is_refused_with_names_that_would_work():
    with pytest.raises(ModelError, match=r"gemini-2\.5-pro.*not a live model.*gemini-3\.8-live"):
        check_model("gemini-2.5-pro", vertex=False)


def test_adks_own_default_live_model_is_refused_with_an_ai_studio_key():
    with pytest.raises(ModelError, match="served by Vertex AI"):
        check_model("gemini-live-2.5-flash-native-audio", vertex=False)


def test_a_model_newer_than_the_list_is_left_to_the_service():
    check_model("gemini-4.2-live-preview", vertex=False)


def test_a_voice_is_found_in_any_case():
    assert check_voice("kore") == "Kore"
    assert len(set(VOICES)) == 30


def test_an_unknown_voice_is_refused_with_the_nearest_names():
    with pytest.raises(ModelError, match=r"'Korre'.*Kore"):
        check_voice("Korre")
