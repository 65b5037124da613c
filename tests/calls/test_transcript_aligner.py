"""How much of an answer has been played."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.calls.transcript_aligner import CUT_MARK, TranscriptAligner, cut

WORDS = "One two three four five six seven eight nine ten."


def told(*steps: tuple[float, float] | str) -> TranscriptAligner:
    answer = TranscriptAligner()
    for step in steps:
        if isinstance(step, str):
            answer.words(step)
        else:
            answer.sound(*step)
    return answer


def test_words_that_follow_their_sound_are_heard_with_it():
    answer = told((0, 100), (100, 100), "One ", (200, 100), "two ", (300, 500), "three.")
    assert [answer.played(ms) for ms in (0, 199, 200, 300, 500, 800)] == [
        "",
        "One",
        "One ",
        "One two ",
        "One two ",
        "One two three.",
    ]


def test_words_that_go_before_their_sound_are_not_heard_before_it():
    answer = told("One ", (0, 200), "two ", (200, 100), "three.", (300, 500))
    assert [answer.played(ms) for ms in (0, 200, 300, 800)] == [
        "",
        "One ",
        "One two ",
        "One two three.",
    ]


def test_within_a_stretch_words_are_spread_evenly():
    answer = told((5000, 1000), WORDS)
    assert answer.played(5000) == ""
    assert answer.played(5500) == "One two three four five"
    assert answer.played(5950) == "One two three four five six seven eight nine"
    assert answer.played(6000) == WORDS


def test_words_without_any_sound_yet_have_not_been_heard():
    assert told(WORDS).played(1e9) == ""


@pytest.mark.parametrize(
    ("played", "whole", "kept"),
    [
        ("One two", " One two  three.", f"One two {CUT_MARK}"),
        ("One  two three. ", "One two three.", "One two three."),
        ("", "One two three.", ""),
        ("", "", ""),
    ],
)
def test_what_is_kept_is_marked_where_words_are_missing(played, whole, kept):
    assert cut(played, whole) == kept


@st.composite
def answers(draw):
    """An answer as a model may send it, and when all of it has been played."""
    at_ms = draw(st.integers(0, 10_000))
    answer = TranscriptAligner()
    for kind in draw(st.lists(st.sampled_from(["sound", "words"]), max_size=40)):
        if kind == "sound":
            length_ms = draw(st.integers(1, 400))
            answer.sound(at_ms, length_ms)
            at_ms += length_ms
        else:
            answer.words(draw(st.text("ab. ", max_size=12)))
    return answer, at_ms


@given(answers(), st.lists(st.floats(0, 30_000), min_size=2))
def test_more_play_never_means_fewer_words_and_they_are_always_a_beginning(made, moments):
    answer, _ = made
    played = [answer.played(ms) for ms in sorted(moments)]
    assert all(answer.text.startswith(text) for text in played)
    assert all(later.startswith(earlier) for earlier, later in pairwise(played))


@given(st.lists(st.text("a", min_size=1), min_size=1), st.floats(1, 999))
def test_no_word_of_a_stretch_is_cut_in_two_and_the_nearest_end_is_taken(words, played_ms):
    text = " ".join(words)
    played = told((0, 1000), text).played(played_ms)
    assert played == " ".join(words[: len(played.split())])
    assert abs(len(played) - len(text) * played_ms / 1000) <= 1 + max(map(len, words))


@given(st.lists(st.integers(1, 400), min_size=1), st.text("ab ", min_size=1))
def test_all_the_words_are_heard_once_all_the_sound_is_played(lengths, text):
    answer, at_ms = TranscriptAligner(), 1000
    for length_ms in lengths:
        answer.sound(at_ms, length_ms)
        answer.words(text)
        at_ms += length_ms
    assert answer.played(at_ms) == answer.text
    assert answer.played(1000) == ""
