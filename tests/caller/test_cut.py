"""Cuts of media files, and the notations of times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vision_agent.caller.cut import Cut, clock, moment
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound


def test_a_cut_of_a_sound_is_exact(jfk: Path) -> None:
    whole = read_sound(jfk)
    cut = read_sound(jfk, Cut(3, 5.5))
    assert len(cut) == 2.5 * SOUND_RATE_HZ
    wanted = whole[3 * SOUND_RATE_HZ : round(5.5 * SOUND_RATE_HZ)]
    assert np.corrcoef(wanted, cut)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("80", 80), ("80.5", 80.5), ("1:20", 80), ("01:20.25", 80.25), ("1:02:03", 3723), ("0", 0)],
)
def test_a_time_is_read_as_a_person_writes_it(text: str, seconds: float) -> None:
    assert moment(text) == seconds
    assert moment(clock(seconds)) == pytest.approx(seconds, abs=0.06)


@pytest.mark.parametrize(
    "text", ["", "-1", "1:75", "1h", "nan", "inf", "1:2:3:4", "٣", "1e3", ":5"]
)
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write seconds, or 01:20"):
        moment(text)
