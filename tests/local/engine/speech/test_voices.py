"""Voice names and languages become settings of the synthesisers."""

import pytest

from vision_agent.live.models import VOICES as LIVE_VOICES
from vision_agent.local.engine.speech.voices import (
    DEFAULT_VOICE,
    ENGLISH,
    VOICES,
    espeak_languages,
    voice_named,
)


def test_every_voice_of_the_live_api_has_a_setting_of_its_own() -> None:
    assert set(VOICES) == set(LIVE_VOICES)
    voices = {*VOICES.values(), DEFAULT_VOICE}
    assert len({voice.english for voice in voices}) == len(VOICES) + 1
    assert len({voice.espeak for voice in voices}) == len(VOICES) + 1


def test_voices_are_found_whatever_their_case_and_others_are_the_default() -> None:
    assert voice_named("kore") == voice_named(" KORE ") == VOICES["Kore"]
    assert voice_named(None) == voice_named("") == voice_named("Nobody") == DEFAULT_VOICE


@pytest.mark.parametrize(
    ("code", "first"),
    [
        (None, ENGLISH),
        ("", ENGLISH),
        ("en", ENGLISH),
        ("en-US", ENGLISH),
        ("en-GB", "en"),
        ("en-AU", "en"),
        ("de-DE", "de-de"),
        ("pt_BR", "pt-br"),
        ("cmn-CN", "cmn-cn"),
        ("es-US", "es-419"),
    ],
)
def test_languages_are_tried_from_the_nearest_to_english(code: str | None, first: str) -> None:
    languages = espeak_languages(code)
    assert languages[0] == first
    assert languages[-1] == ENGLISH


def test_a_language_without_its_country_is_tried_too() -> None:
    assert espeak_languages("de-DE") == ("de-de", "de", ENGLISH)
    assert espeak_languages("zh-CN") == ("zh-cn", "cmn", ENGLISH)


@pytest.mark.parametrize("code", ["../../etc/passwd", "de+f3", "/dev/zero", "d", "de\0", "x" * 99])
def test_what_is_no_language_code_never_reaches_espeak(code: str) -> None:
    assert espeak_languages(code) == (ENGLISH,)
