import pytest

from vision_agent.evaluation.played_line import LONGEST_WORDS, PlayedLine, is_repeated, read_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Hello, is this the hotel?", PlayedLine("Hello, is this the hotel?")),
        ('"I need a room."', PlayedLine("I need a room.")),
        (
            "**Caller:** *smiles* I need a room (sighs) [pause] now.",
            PlayedLine("I need a room now."),
        ),
        ("Caller: Two nights.\nAgent: Of course!\nCaller: Great.", PlayedLine("Two nights.")),
        ("Here. [show bill.png]", PlayedLine("Here.", "bill.png")),
        ('[Show: "the bill"] What is the sum?', PlayedLine("What is the sum?", "the bill")),
        ("Thank you, goodbye! [done]", PlayedLine("Thank you, goodbye!", ends="done")),
        ("[DONE]", PlayedLine("", ends="done")),
        ("Done.", PlayedLine("", ends="done")),
        ("[give up]", PlayedLine("", ends="give up")),
        ("I am done with this room.", PlayedLine("I am done with this room.")),
        ("- a room\n- a **quiet** one", PlayedLine("a room a quiet one")),
        ("```python\nprint(1)\n```", PlayedLine("")),
        ("Assistant: How can I help?", PlayedLine("")),
        ("😀", PlayedLine("")),
    ],
)
def test_what_is_said_is_read_from_what_models_write(text: str, line: PlayedLine) -> None:
    assert read_line(text) == line


def test_a_speech_is_cut_after_a_sentence() -> None:
    words = read_line("I would like a room. " * 100).words
    assert 200 < len(words) <= LONGEST_WORDS
    assert words.endswith("a room.")
    assert len(read_line("word " * 1000).words) <= LONGEST_WORDS


def test_nearly_the_same_words_are_a_repetition() -> None:
    before = ["Do you have a room for two nights?"]
    assert is_repeated("do you have a room, for two nights", before)
    assert is_repeated("So do you have a room for two nights?", before)
    assert not is_repeated("Do you have breakfast?", before)
