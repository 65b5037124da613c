"""Only what both decoders heard is believed, and what is believed carries its request."""

from __future__ import annotations

from typing import Any

import pytest

from vision_agent.local.contract import Request, Transcript
from vision_agent.local.engine.hearing.acceptance import judge


def believed(*hypotheses: Any, **distances: Any) -> tuple[str, bool]:
    transcript = judge(*hypotheses, **distances)
    return transcript.text, transcript.understood


def test_what_is_understood_carries_the_request_that_was_found_in_it() -> None:
    asked = "is this red"
    found = Request("is_colour", {"colour": "red"})
    assert judge(asked, asked, 0.0) == Transcript(asked, request=found)
    assert judge(asked, "his this red", 0.1) == Transcript(asked, request=found)
    assert judge("stop", "staff", 0.5, nearest=0.2) == Transcript("staff", understood=False)


def test_a_request_that_the_general_model_had_in_mind_is_believed() -> None:
    assert believed("stop", "staff", 0.5, nearest=0.0) == ("stop", True)
    assert believed("stop", "staff", 0.5, nearest=0.2) == ("staff", False)


def test_a_word_that_only_sounds_like_a_command_is_none() -> None:
    assert believed("no", "goodbye", 0.5, 0.0) == ("goodbye", False)
    assert believed("shop", "shut the", 0.8, 0.5) == ("shut the", False)
    assert believed("stock", "stop", 0.25, 0.0) == ("stop", True)
    assert believed("staff", "staff", 0.0, 0.0) == ("staff", False)


def test_a_greeting_that_the_general_model_hears_is_returned() -> None:
    assert believed("no", "hello", 0.5, 0.0) == ("hello", True)


def test_an_open_question_heard_word_for_word_is_understood_as_one() -> None:
    for text in ("what animal is this", "what kind of fruit is that", "what is she wearing"):
        assert believed("what have you learned", text, 0.6) == (text, True)


def test_what_both_decoders_agree_on_comes_before_a_looser_sentence() -> None:
    agreed = believed("what colour is it", "what caller is it", 0.2)
    assert agreed == ("what colour is it", True)


def test_of_stop_and_a_word_that_sounds_like_it_stop_is_believed() -> None:
    assert believed("staff", "stop", 0.5, 0.0) == ("stop", True)
    assert believed("shut it", "stop it", 0.667, 0.0) == ("stop it", True)


@pytest.mark.parametrize(
    ("request_", "general", "distance", "expected"),
    [
        ("what do you see", "what do you she", 0.1, ("what do you see", True)),
        ("what do you see", "water you sea", 0.6, ("water you sea", False)),
        ("is this shirt red thank", "is his shirt bread", 0.2, ("is his shirt bread", False)),
        ("stop", "what color is this", 0.9, ("what color is this", True)),
        ("", "", 0.0, ("", False)),
    ],
)
def test_only_what_both_decoders_hear_is_believed(
    request_: str, general: str, distance: float, expected: tuple[str, bool]
) -> None:
    assert believed(request_, general, distance) == expected
