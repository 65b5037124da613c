"""How long a connection may still be used when its end is announced."""

import pytest
from google.genai import types

from vision_agent.live.connection.timeouts import Timeouts


@pytest.mark.parametrize(
    ("time_left", "in_s"),
    [
        ("50s", 48),
        ("10s", 8),
        ("60.000s", 58),
        ("9.500s", 7.5),
        ("50.s", 48),
        ("50", 48),
        (" 50 s ", 48),
        ("1s", 0.5),
        ("0s", 0),
        ("-3s", 0),
        (None, 8),
        ("", 8),
        ("soon", 8),
    ],
)
def test_it_is_left_a_moment_before_its_end(time_left, in_s):
    go_away = types.LiveServerGoAway(time_left=time_left)
    assert Timeouts(go_away_margin_s=2).leaves_in_s(go_away) == in_s
