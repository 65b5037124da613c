"""The person whom a sentence addresses."""

from __future__ import annotations

import pytest

from vision_agent.local.engine.language.vocatives import names_somebody


@pytest.mark.parametrize(
    "said",
    [
        "Marco, where's the remote?",
        "Hey Tyler, can you see the TV from there?",
        "Thanks, Tomasz, just keep the coffee there.",
        "Put the kettle on, Harold.",
        "Stop it, Bruno, that's not food.",
        "Can you hear me, Ramesh? Your microphone is off.",
    ],
)
def test_a_name_before_or_after_a_comma_addresses_somebody(said: str) -> None:
    assert names_somebody(said)


@pytest.mark.parametrize(
    "said",
    [
        "Wait, is that a spider?",
        "Okay, what is this?",
        "Scissors, where are they?",
        "The bottle, where is it?",
        "What is this, please?",
        "what does marco see",
        "Remind me to ring Jean.",
        "Gemini, what is this?",
        "What is this, Computer?",
        "Great, thank you.",
        "What day is it today, Tuesday?",
    ],
)
def test_other_words_beside_a_comma_and_names_without_one_do_not(said: str) -> None:
    assert not names_somebody(said)


def test_an_agents_name_addresses_the_agent() -> None:
    assert names_somebody("Zorblax, what is this?")
    assert not names_somebody("Zorblax, what is this?", ["the zorblax"])
