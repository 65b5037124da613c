"""The request that follows from the scores of examples."""

from __future__ import annotations

import pytest

from vision_agent.local.engine.language.intent_classification import by_examples, without_statements
from vision_agent.local.engine.language.nearest_examples import Compared

_ASKED, _TOLD = "can you make something of it", "there is nothing to be made of it"


def compared(scores: dict[str, float], probable: dict[str, float]) -> Compared:
    """A sentence whose scores are near the examples of "see"; the arguments override them."""
    scores = {"see": 1.2, "light": 0.1, "-": 0.5, "beyond": 0.5, "+": 0.1, "!": 0.1} | scores
    in_order = dict(sorted(scores.items(), key=lambda pair: -pair[1]))
    return Compared(in_order, {"see": 0.9, "light": 0.0, "-": 0.0, "beyond": 0.0} | probable)


@pytest.mark.parametrize(
    ("scores", "probable", "intent"),
    [
        ({}, {}, "see"),
        ({"light": 1.3}, {"light": 0.9, "see": 0.0}, "light"),
        ({"-": 1.4}, {"-": 0.6, "see": 0.3}, None),
        ({"beyond": 1.4}, {"beyond": 0.6, "see": 0.3}, None),
        ({"see": 0.6}, {"see": 0.1}, None),
        ({}, {"see": 0.1, "beyond": 0.9}, None),
    ],
)
def test_a_request_is_made_where_nothing_else_is_as_near_or_as_probable(
    scores: dict[str, float], probable: dict[str, float], intent: str | None
) -> None:
    found = by_examples(_ASKED, lambda _: compared(scores, probable))
    assert (found and found.intent) == intent


def test_a_statement_has_to_be_nearer_than_a_question_unless_its_intent_is_often_stated() -> None:
    near = compared({"see": 0.8, "stop": 0.0}, {"see": 0.5})
    assert by_examples(_ASKED, lambda _: near) is not None
    assert by_examples(_TOLD, lambda _: near) is None
    stopping = compared({"stop": 0.8, "see": 0.0}, {"stop": 0.5, "see": 0.0})
    found = by_examples(_TOLD, lambda _: stopping)
    assert found is not None
    assert found.intent == "stop"


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
