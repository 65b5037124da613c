import re

import pytest

from vision_agent import Settings
from vision_agent.live.call_options import COSTLY, CallOptions
from vision_agent.live.models import ModelError


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
        ({"modalities": "x" * 10_000}, "^.{,120}$"),
        ({"modalities": 7}, "AUDIO or TEXT"),
        ({"voice": 7}, "voice"),
        ({"voice": "x" * 101}, "voice"),
        ({"voice": "Kore\nWARNING"}, r"voice: 'Kore\\nWARNING' is not the name"),
        ({"language": "English please"}, "language code"),
        ({"affective_dialog": "perhaps"}, "affective_dialog"),
        (
            {"thinking_level": "hihg"},
            "thinking_level: 'hihg' is not one of minimal, .*Nearest: high",
        ),
        ({"thinking_budget": -2}, "thinking_budget"),
        ({"thinking_budget": 10**9}, "thinking_budget"),
        ({"thinking_level": "low", "thinking_budget": 0}, "thinking_level and thinking_budget"),
        ({"media_resolution": 3}, "media_resolution: '3' is not one of low, medium, high"),
        ({"turn_coverage": "everything"}, "turn_coverage"),
        ({"start_sensitivity": "medium"}, "start_sensitivity"),
        ({"end_sensitivity": ["low"]}, "end_sensitivity"),
        ({"silence_ms": 10_001}, "silence_ms"),
        ({"silence_ms": "soon"}, "silence_ms"),
        ({"silence_ms": False}, "silence_ms: a number is expected, not false"),
        ({"thinking_budget": True}, "thinking_budget: a number is expected"),
        ({"prefix_padding_ms": -1}, "prefix_padding_ms"),
        ({"activity_handling": "shout"}, "activity_handling"),
        ({"language_hints": ["de-DE", "German"]}, "language_hints: 'German'"),
        ({"language_hints": ["de"] + [f"d{c}" for c in "abcdefghijklmnopqrstuv"]}, "at most 20"),
        ({"vocabulary": 7}, "vocabulary: a list of texts"),
        ({"vocabulary": ["x" * 101]}, "vocabulary: a phrase has at most 100"),
        ({"vocabulary": [f"word {n}" for n in range(101)]}, "vocabulary: at most 100 phrases"),
        ({"proactive_video": True, "proactive_audio": False}, "proactive_video needs"),
        ({"translate_to": "German, please"}, "translate_to"),
        ({"translate_echo": True}, "translate_echo: there is no translation"),
        ({"history_turns": 201}, "history_turns"),
    ],
)
def test_what_can_not_be_is_refused_by_name(given, words):
    assert re.search(words, refusal(**given))


def test_a_call_asks_for_its_own_options_in_place_of_the_servers():
    server = CallOptions.read({"voice": "puck", "language": "de-DE", "unknown": 1})
    call = server.but({"voice": "Kore", "input_transcription": False, "language": None})
    assert (call.voice, call.language, call.input_transcription) == ("Kore", "de-DE", False)
    assert server.voice == "Puck"


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


def test_names_are_taken_as_the_live_api_and_as_people_write_them():
    written = CallOptions.read(
        {
            "thinking_level": "LOW",
            "media_resolution": "MEDIA_RESOLUTION_HIGH",
            "start_sensitivity": "START_SENSITIVITY_LOW",
            "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
            "activity_handling": "no-interruption",
            "vocabulary": "Aspirin, Xarelto,",
            "language_hints": "de-DE,en",
        }
    )
    assert written == CallOptions(
        thinking_level="low",
        media_resolution="high",
        start_sensitivity="low",
        turn_coverage="all_input",
        activity_handling="no_interruption",
        vocabulary=("Aspirin", "Xarelto"),
        language_hints=("de-DE", "en"),
    )
    assert not written.interruptible
    assert CallOptions(activity_handling="START_OF_ACTIVITY_INTERRUPTS").interruptible


COSTLY_VALUES = {
    "thinking_level": ("low", "high"),
    "thinking_budget": (0, 512),
    "media_resolution": ("low", "high"),
    "turn_coverage": ("only_activity", "all_input"),
    "proactive_video": (False, True),
    "history_turns": (0, 5),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_money_holds_for_every_call_once_the_operator_has_set_it(name):
    held, wanted = COSTLY_VALUES[name]
    server = CallOptions.read({name: held})
    assert getattr(server.but({name: held, "voice": "Puck"}), name) == held
    with pytest.raises(ModelError, match=f"{name}: the server's operator has set it to {held}"):
        server.but({name: wanted})
    assert getattr(CallOptions().but({name: wanted}), name) == wanted


def test_the_two_ways_to_limit_thinking_count_as_one():
    with pytest.raises(ModelError, match="thinking_budget: the server's operator has set thinking"):
        CallOptions(thinking_level="low").but({"thinking_budget": 9_000})
    with pytest.raises(ModelError, match="thinking_level: the server's operator has set thinking"):
        CallOptions(thinking_budget=0).but({"thinking_level": "high"})


def test_a_call_completes_what_the_server_has_set():
    server = CallOptions(translate_to="de", silence_ms=900)
    call = server.but({"translate_echo": True, "end_sensitivity": "low"})
    assert (call.translate_to, call.translate_echo, call.silence_ms) == ("de", True, 900)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("thinkingLvl", "thinking_level"),
        ("thinkinglevel", "thinking_level"),
        ("languageHint", "language_hints"),
        ("silence", "silence_ms"),
        ("modalitys", "modalities"),
        ("media_resolutions", "media_resolution"),
    ],
)
def test_a_misspelt_option_is_told_from_a_clients_own_data(name, meant):
    assert CallOptions.misspelt(["thinkingLevel", "silence_ms", name]) == (name, meant)


def test_a_clients_own_data_is_no_mistake():
    assert CallOptions.misspelt(["user", "agent", "resume", "model", "history", "theme"]) is None
