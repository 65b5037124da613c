import pytest

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.intents import INTENTS
from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise
from vision_agent.local.engine.language.phrase_matching import match


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("What do you see?", "see"),
        ("what's in front of you", "see"),
        ("Can you describe what you see, please?", "see"),
        ("What color is it?", "colour"),
        ("What colour is this?", "colour"),
        ("Which colour is the bottle?", "colour"),
        ("What is its colour?", "colour"),
        ("Tell me the colour of this.", "colour"),
        ("Can you see something white?", "is_colour"),
        ("Read the text!", "read"),
        ("What does it say?", "read"),
        ("Read what is on the label.", "read"),
        ("Tell me what this is.", "see"),
        ("Is there a QR code? What does it say?", "code"),
        ("is there a q r code and what does it say", "code"),
        ("scan the barcode", "code"),
        ("What's changed?", "changed"),
        ("What is different now?", "changed"),
        ("How many people do you see?", "people"),
        ("Is anybody there?", "people"),
        ("Is there anything new?", "changed"),
        ("Is it too dark?", "light"),
        ("Is there enough light?", "light"),
        ("Hello!", "hello"),
        ("Good morning.", "hello"),
        ("How are you?", "how_are_you"),
        ("Stop!", "stop"),
        ("That's enough.", "stop"),
        ("Thank you very much.", "thanks"),
        ("Goodbye.", "bye"),
        ("What can you do?", "help"),
        ("Can you hear me?", "hear_me"),
        ("Can you see me?", "see_me"),
        ("What's your name?", "who"),
        ("Say that again.", "repeat"),
        ("What time is it?", "beyond"),
    ],
)
def test_a_question_in_usual_words_is_understood(text: str, intent: str) -> None:
    request = match(text)
    assert request is not None
    assert request.intent == intent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "What is the capital of France?",
        "What do you see in her",
        "colour",
        "Stop the car and read it",
        "My sister is going to the market tomorrow morning.",
    ],
)
def test_what_is_not_in_the_table_is_not_understood(text: str) -> None:
    assert match(text) is None


def test_a_greeting_before_a_question_does_not_hide_the_question() -> None:
    assert match("Hello! What do you see?") == Request("see")
    assert match("hey what do you see please") == Request("see")


def test_half_of_what_was_said_is_not_answered() -> None:
    assert match("What do you see? And who won the match?") is None


def test_the_colour_that_was_asked_about_is_a_slot() -> None:
    assert match("Is the bottle green?") == Request(
        "is_colour", {"colour": "green", "thing": "bottle"}
    )
    assert match("is this gray?") == Request("is_colour", {"colour": "grey"})


def test_spelling_and_contractions_become_one() -> None:
    assert normalise("What\N{RIGHT SINGLE QUOTATION MARK}s  the COLOR?") == "what is the colour"


def test_every_intent_has_one_row() -> None:
    names = [intent.name for intent in INTENTS]
    assert len(names) == len(set(names))


def test_no_sentence_means_two_things() -> None:
    plain = [
        (intent.name, phrase)
        for intent in INTENTS
        for phrase in intent.phrases
        if not set(phrase) & set("([<|")
    ]
    assert len(plain) > 10
    for name, phrase in plain:
        assert match(phrase) == Request(name)


def test_a_text_of_any_length_is_matched_with_its_beginning_alone() -> None:
    assert len(normalise("what " * 200_000)) <= MOST_CHARACTERS
    assert match("what " * 200_000) is None
    assert match("What do you see?" + " " * MOST_CHARACTERS + "x" * 10**6) is not None
