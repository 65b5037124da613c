"""Times of day in words, asked at twenty past two on a Wednesday afternoon."""

from __future__ import annotations

from datetime import datetime

import pytest

from vision_agent.local.engine.language.clock_times import clock_time
from vision_agent.local.engine.language.normalisation import normalise

NOW = datetime(2026, 11, 25, 14, 20)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        *(("at five o'clock", "Wed 17:00"), ("at 5 pm", "Wed 17:00"), ("at 5 p.m.", "Wed 17:00")),
        *(("at 17:30", "Wed 17:30"), ("at 5:30 pm", "Wed 17:30"), ("at five thirty", "Wed 17:30")),
        *(("half past six", "Wed 18:30"), ("quarter to seven", "Wed 18:45")),
        *(("ten past three", "Wed 15:10"), ("twenty to eight", "Wed 19:40")),
        *(("at noon", "Thu 12:00"), ("midnight", "Thu 00:00"), ("tonight", "Wed 20:00")),
        *(("tomorrow morning", "Thu 09:00"), ("this evening", "Wed 19:00")),
        *(("at five in the morning", "Thu 05:00"), ("five in the morning", "Thu 05:00")),
        *(("tomorrow at five", "Thu 17:00"), ("at 9 tomorrow", "Thu 09:00")),
        *(("on monday at 9", "Mon 09:00"), ("remind me to call bob at five", "Wed 17:00")),
        *(("at two", "Thu 02:00"), ("at 8 to eat", "Wed 20:00"), ("at 12", "Thu 00:00")),
    ],
)
def test_a_time_of_day_is_its_next_one(text: str, at: str) -> None:
    found = clock_time(normalise(text).split(), NOW)
    assert found is not None
    assert found.at.strftime("%a %H:%M") == at
    assert found.at > NOW


@pytest.mark.parametrize(
    "text",
    [
        *("for five minutes", "in five minutes", "set the volume to 5", "good morning"),
        *("order two coffees", "look at three people", "at the table on the left", "tomorrow"),
        *("25 pm", "", "half a pound", "at", "what is on the table"),
    ],
)
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert clock_time(normalise(text).split(), NOW) is None
