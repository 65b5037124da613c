"""Which synthesiser says which part of a sentence."""

import pytest

from vision_agent.local.engine.speech.script_runs import runs
from vision_agent.local.engine.speech.text import Sentence
from vision_agent.local.engine.speech.voices import espeak_languages


def split(text: str, language: str | None = None) -> list[tuple[str, str]]:
    """Each part with its synthesiser: hibari, or the first language that espeak-ng tries."""
    return [
        (run.text, "hibari" if run.hibari else run.languages[0])
        for run in runs(Sentence(text, 300), espeak_languages(language))
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "A caf\u00e9 in \u0141\u00f3d\u017a, 5 \u20ac.",
            [("A caf\u00e9 in \u0141\u00f3d\u017a, 5 \u20ac.", "hibari")],
        ),
        (
            "It says \u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440 on the door.",
            [
                ("It says", "hibari"),
                ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", "ru"),
                ("on the door.", "hibari"),
            ],
        ),
        ("\u4f60\u597d", [("\u4f60\u597d", "cmn")]),
        (
            "\u3053\u3093\u306b\u3061\u306f \u4e16\u754c",
            [("\u3053\u3093\u306b\u3061\u306f", "ja"), ("\u4e16\u754c", "cmn")],
        ),
        ("\u05e9\u05dc\u05d5\u05dd !", [("\u05e9\u05dc\u05d5\u05dd", "he")]),
        ("Nice \U0001f642", [("Nice \U0001f642", "hibari")]),
        ("\U0001f642", [("\U0001f642", "en-us")]),
        ("&", [("&", "hibari")]),
    ],
)
def test_other_scripts_and_lone_symbols_are_espeaks(
    text: str, parts: list[tuple[str, str]]
) -> None:
    assert split(text) == parts


def test_other_languages_are_not_split() -> None:
    assert split("Das ist 1 cup \u041f\u0440\u0438.", "de-DE") == [
        ("Das ist 1 cup \u041f\u0440\u0438.", "de-de")
    ]


def test_only_the_last_part_has_the_pause_of_the_sentence() -> None:
    pauses = [run.pause_ms for run in runs(Sentence("a \u4f60 b", 300), ("en-us",))]
    assert pauses[-1] == 300
    assert max(pauses[:-1]) < 100
