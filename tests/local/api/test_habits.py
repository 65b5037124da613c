"""The table of the models' habits, and the page that names a source for each."""

from __future__ import annotations

import re

import pytest

from tests.local.api.field_table import cells, section, spans
from vision_agent.local.api.habits import NAMES, NATIVE_2_5
from vision_agent.local.api.models import MODELS


def test_the_page_says_of_every_habit_where_it_is_known_from() -> None:
    rows = [row for row in cells(section("How each model behaves")) if spans(row[0])]
    named = [name for row in rows for name in spans(row[0])]
    assert sorted(named) == sorted(NAMES)
    known = "recorded|reported|documented|guessed|see below"
    assert [row[0] for row in rows if not re.search(known, row[2])] == []


def test_a_scenario_changes_the_habits_that_it_names_and_no_others() -> None:
    changed = NATIVE_2_5.with_other({"silence_ms": 100})
    assert changed.silence_ms == 100
    assert changed.with_other({"silence_ms": NATIVE_2_5.silence_ms}) == NATIVE_2_5
    with pytest.raises(TypeError):
        NATIVE_2_5.with_other({"no_such_habit": 1})


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_a_model_of_vertex_names_its_sessions_and_gives_no_rate(model: object) -> None:
    for vertex in (False, True):
        if getattr(model, "vertex" if vertex else "ai_studio"):
            habits = model.habits_on(vertex=vertex)  # type: ignore[attr-defined]
            assert habits.session_id is vertex
            assert ("rate=" in habits.sound_type) is not vertex
