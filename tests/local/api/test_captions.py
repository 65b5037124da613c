"""Captions beside the sound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vision_agent.local.api.captions import Captions


@given(st.text(alphabet="ab .,\n", max_size=80), st.lists(st.floats(0, 5000), max_size=20))
def test_all_pieces_joined_are_the_words_of_the_sentence(text: str, times: list[float]) -> None:
    captions = Captions(text)
    pieces = [captions.due(audio_ms) for audio_ms in sorted(times)]
    pieces.append(captions.rest())
    assert "".join(pieces) == text.rstrip()
    assert captions.rest() == ""


def test_the_first_word_comes_with_the_first_sound_and_the_rest_as_it_is_heard() -> None:
    captions = Captions("I can see a red cup.")
    assert captions.due(100) == "I can"
    assert captions.due(100) == ""
    assert captions.due(1000) == " see a red"
    assert captions.rest() == " cup."
