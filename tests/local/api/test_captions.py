"""Transcripts beside the sound, in the pieces that each model sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.api.captions import Captions, transcript_pieces
from vision_agent.local.api.habits import GENERATION_3_8, LOCAL, NATIVE_2_5, Habits

SENTENCE = "I can see a red cup on the table."


@given(
    st.text(alphabet="ab .,\n", max_size=80),
    st.lists(st.floats(0, 5000), max_size=20),
    st.sampled_from([LOCAL, NATIVE_2_5, GENERATION_3_8]),
)
def test_all_pieces_joined_are_the_words_of_the_sentence(
    text: str, times: list[float], habits: Habits
) -> None:
    captions = Captions(text, habits)
    pieces = [piece for audio_ms in sorted(times) for piece in captions.due(audio_ms)]
    pieces += captions.rest()
    assert "".join(pieces) == text.rstrip()
    assert captions.rest() == []


def test_the_first_words_come_with_the_first_sound_and_the_rest_as_it_is_heard() -> None:
    captions = Captions(SENTENCE, LOCAL)
    assert captions.due(100) == ["I can see"]
    assert captions.due(100) == []
    assert captions.due(1000) == [" a red cup"]
    assert captions.rest() == [" on the table."]


@pytest.mark.parametrize(
    ("habits", "pieces"),
    [
        (NATIVE_2_5, ["I can", " see", " a", " red cup", " on", " the", " table."]),
        (GENERATION_3_8, ["I can see a ", "red cup on", " the table."]),
    ],
)
def test_each_model_has_pieces_of_its_own(habits: Habits, pieces: list[str]) -> None:
    assert Captions(SENTENCE, habits).rest() == pieces


def test_what_a_caller_said_comes_in_words_and_marks_and_its_end_at_once() -> None:
    said = "Hello, my name is Marcelo."
    assert list(transcript_pieces(said)) == [" Hello", ",", " my", " name", " is Marcelo."]
    assert list(transcript_pieces("stop")) == [" stop"]


@given(st.text(alphabet="ab'-., ", max_size=40))
def test_pieces_of_what_was_said_are_all_of_it(text: str) -> None:
    assert "".join(transcript_pieces(text)).split() == text.split()
