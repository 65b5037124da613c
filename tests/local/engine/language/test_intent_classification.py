"""Which request the scores of examples make."""

from __future__ import annotations

import pytest

from vision_agent.local.engine.language.intent_classification import (
    BEYOND_LEAD,
    LEAST_LEAD,
    LEAST_SCORE,
    RIVAL_LEAD,
    by_examples,
    without_statements,
)


@pytest.mark.parametrize(
    ("rivals", "enough"),
    [
        ({}, True),
        ({"-": 0.9 - LEAST_LEAD + 0.01}, False),
        ({"-": 0.9 - LEAST_LEAD - 0.01}, True),
        ({"beyond": 0.9 - BEYOND_LEAD + 0.01}, False),
        ({"beyond": 0.9 - BEYOND_LEAD - 0.01}, True),
        ({"light": 0.9 - RIVAL_LEAD + 0.01}, False),
        ({"light": 0.9 - RIVAL_LEAD - 0.01}, True),
        ({"see": LEAST_SCORE - 0.01}, False),
        ({"see": LEAST_SCORE + 0.01}, True),
    ],
)
def test_a_request_scores_enough_above_every_other(rivals: dict[str, float], enough: bool) -> None:
    scores = {"see": 0.9, "light": 0.1, "-": 0.1, "beyond": 0.1, "+": 0.1, "!": 0.1} | rivals
    found = by_examples(
        "can you make something of it", lambda _: dict(sorted(scores.items(), key=lambda s: -s[1]))
    )
    assert (found and found.intent) == ("see" if enough else None)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("I'm under a car, is there enough light?", "is there enough light?"),
        ("Is it red? I can't see it.", None),  # too little is left
        ("Is this one red? I can't tell.", "Is this one red?"),
        ("What is this?", None),
        ("I can't see it.", None),
    ],
)
def test_statements_beside_a_question_are_left_out(said: str, question: str | None) -> None:
    assert without_statements(said) == question
