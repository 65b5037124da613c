import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.calls.answer_segments import MAX_CHARS, MAX_SENTENCE_CHARS, AnswerSegments


def cut(*pieces: str) -> list[str]:
    segments = AnswerSegments(1)
    found = [segment for piece in pieces for segment in segments.words(piece)]
    return [segment.text for segment in found + segments.end()]


@pytest.mark.parametrize(
    ("pieces", "segments"),
    [
        (["I see a bottle."], ["I see a bottle."]),
        (["I see", " a bottle. It", " is green."], ["I see a bottle.", "It is green."]),
        (["It is green.", "It is full."], ["It is green.", "It is full."]),
        (["It is 3.", "5 metres long."], ["It is 3.5 metres long."]),
        (["Wait… what?! ", '"Yes."', " No"], ["Wait…", "what?!", '"Yes."', "No"]),
        (["は青です。赤です。"], ["は青です。", "赤です。"]),
        (["  ", "\n"], []),
        (["one two"], ["one two"]),
    ],
)
def test_an_answer_is_cut_into_its_sentences(pieces, segments):
    assert cut(*pieces) == segments


def test_a_sentence_is_there_as_soon_as_its_last_word_is():
    segments = AnswerSegments(1)
    assert [s.text for s in segments.words("I see a bottle.")] == ["I see a bottle."]


def test_a_long_sentence_is_shown_in_parts_of_whole_words():
    parts = cut(*["word "] * 100)
    assert len(parts) > 2
    assert all(len(part) <= MAX_CHARS and set(part.split()) == {"word"} for part in parts)


@pytest.mark.parametrize("text", ["a" * 5_000 + ".", "word " * 1_000 + "end. ", "." * 5_000])
def test_a_sentence_of_any_length_in_one_piece_is_shown_in_parts(text):
    parts = cut(text, "More.")
    assert max(map(len, parts)) <= MAX_SENTENCE_CHARS
    assert "".join("".join(parts).split()) == "".join(text.split()) + "More."


@given(st.lists(st.text(alphabet="ab .!?…3\n", max_size=30)))
def test_no_word_is_lost_or_doubled_and_numbers_count_on(pieces):
    segments = AnswerSegments(5)
    found = [segment for piece in pieces for segment in segments.words(piece)] + segments.end()
    said = "".join(pieces)
    assert "".join(" ".join(s.text for s in found).split()) == "".join(said.split())
    assert [s.number for s in found] == list(range(5, 5 + len(found)))
    assert all(said[s.start :].startswith(s.text) for s in found)
    assert segments.next_number == 5 + len(found)


def test_progress_goes_word_by_word_through_the_segments_and_ends_with_each():
    segments = AnswerSegments(1)
    segments.words("I see. It is green. ")
    told = [
        (progress.segment.number, progress.spoken, progress.completed)
        for chars in (0, 1, 1, 7, 12, 100)
        for progress in segments.spoken(chars)
    ]
    assert told == [
        (1, "I", False),
        (1, "I see.", True),
        (2, "It is", False),
        (2, "It is green.", True),
    ]
