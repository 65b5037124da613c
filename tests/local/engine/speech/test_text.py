"""Text is split into sentences."""

import re

from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.engine.speech.text import MAX_SENTENCE_CHARS, MAX_TEXT_CHARS, sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text)]


def test_a_text_is_split_where_its_sentences_end() -> None:
    assert texts('I see a cup. It says "tea!" Is it yours? Yes…  \n\nGood.') == [
        "I see a cup.",
        'It says "tea!"',
        "Is it yours?",
        "Yes…",
        "Good.",
    ]


def test_numbers_and_abbreviations_do_not_end_a_sentence() -> None:
    spoken = "Dr. Smith paid 3.50 for it, i.e. too much, at example.com."
    assert texts(spoken) == [spoken]


def test_what_has_no_sound_is_no_sentence() -> None:
    assert texts("") == texts(" \n ") == texts("... !? \x00 - ,") == []


def test_a_nul_does_not_end_the_text() -> None:
    assert texts("one\x00two\ud800three") == ["one two three"]


def test_a_long_sentence_is_split_at_a_comma_or_else_between_words() -> None:
    with_commas = ", ".join(["some words in a row"] * 20) + "."
    parts = texts(with_commas)
    assert all(part.endswith((",", ".")) for part in parts)
    assert " ".join(parts) == with_commas
    words = " ".join(["word"] * 200)
    assert " ".join(texts(words)) == words


def test_the_pause_within_a_sentence_is_shorter_than_after_it() -> None:
    first, *_, last = sentences("word " * 100)
    assert first.pause_ms < last.pause_ms


def test_only_the_start_of_an_endless_text_is_spoken() -> None:
    spoken = "".join(texts("a" * 10 * MAX_TEXT_CHARS))
    assert len(spoken) == MAX_TEXT_CHARS


@given(st.text(max_size=600))
def test_no_letter_is_lost_and_no_sentence_is_too_long(text: str) -> None:
    parts = texts(text)
    assert all(0 < len(part) <= MAX_SENTENCE_CHARS for part in parts)
    letters = re.compile(r"[a-z0-9]", re.I)
    assert letters.findall("".join(parts)) == letters.findall(text)
