"""Text is split into sentences while it streams, and each becomes speakable text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.brain.sentences import LONGEST, Sentences
from vision_agent.local.brain.spoken_text import spoken
from vision_agent.local.contract import Say


def split(text: str, size: int) -> list[Say]:
    sentences = Sentences()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [*(say for piece in pieces for say in sentences.feed(piece)), *sentences.end()]


def aloud(text: str, size: int = 3) -> list[str]:
    said = (say.text if say.spoken is None else say.spoken for say in split(text, size))
    return [each for each in said if each]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes. It is red! Really?", ["Yes.", "It is red!", "Really?"]),
        ("Dr. Smith met Mr. J. R. Jones.", ["Dr. Smith met Mr. J. R. Jones."]),
        ("It costs 3.50 or so, e.g. at noon.", ["It costs 3.50 or so, e.g. at noon."]),
        ("At 5 p.m. tomorrow. At 6 p.m. Come.", ["At 5 p.m. tomorrow.", "At 6 p.m.", "Come."]),
        ("Apples, pears, etc. are here.", ["Apples, pears, etc. are here."]),
        ("Well... maybe. Fine.", ["Well... maybe.", "Fine."]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("Das ist z. B. so. Gut.", ["Das ist z. B. so.", "Gut."]),
        ("これは本です。赤い。", ["これは本です。", "赤い。"]),
        ("Two things:\n\n- **Apples**\n- `pears`\n", ["Two things:", "Apples", "pears"]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("# Title\nText.", ["Title", "Text."]),
        ("Look:\n```python\nx = 1. \ny = 2\n```\nDone.", ["Look:", "Done."]),
        ("No end of it", ["No end of it"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["a, b", "1, 2"]),
    ],
)
def test_sentences_end_where_a_reader_would_pause(text: str, expected: list[str]) -> None:
    assert aloud(text) == expected
    assert aloud(text, len(text)) == expected


def test_a_sentence_comes_as_soon_as_it_is_complete() -> None:
    sentences = Sentences()
    assert list(sentences.feed("It is red")) == []
    assert [say.text for say in sentences.feed(". And")] == ["It is red."]


def test_a_sentence_without_an_end_is_cut_at_a_pause() -> None:
    said = split("one thing, " * 200, 7)
    assert max(len(say.text) for say in said) <= LONGEST + 1
    assert all(say.text.endswith(",") for say in said)


@given(st.text(alphabet="aB1 .!?\n-*`é。<>|_", max_size=300), st.integers(1, 9))
def test_nothing_is_lost_but_space_at_the_end_of_a_sentence(text: str, size: int) -> None:
    joined = "".join(say.text for say in split(text, size))
    assert "".join(joined.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is **very** _red_, ~~not~~ *blue*.", "It is very red, not blue."),
        ("2 * 3 * 4 is 24, snake_case_name too", "2 * 3 * 4 is 24, snake_case_name too"),
        ("See [the page](https://a.example/x_(y)?z=1).", "See the page."),
        ("See https://www.example.org/a/b?c=d.", "See www.example.org."),
        ("Go to <http://example.org>!", "Go to example.org!"),
        ("Hello 👋🏽 there 👩‍💻 😀", "Hello there"),
        ("It is 20 °C ☀️", "It is 20 °C"),
        ("- [x] done", "done"),
        ("> quoted", "quoted"),
        ("Line<br>break", "Line break"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
        ("---", ""),
        ("🎉🎉", ""),
        ("![a cat](cat.png)", "a cat"),
    ],
)
def test_markup_code_addresses_and_emoji_are_not_spoken(text: str, said: str) -> None:
    assert spoken(text) == said
